import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import type { LogLine } from "./log.ts";

export interface TrialOptions {
  /** Without one, the trial passes even when the module rejects the empty configuration. Then no request is tried. */
  readonly config?: string;
  readonly rootId?: string;
  /** The time limit of the whole trial. The thread is stopped after it. */
  readonly timeLimitMs: number;
}

export type TrialResult =
  | { readonly ok: true; readonly log: readonly LogLine[] }
  | {
      readonly ok: false;
      /** "time": the trial ran longer than its limit. "thread": the module ended the thread that it ran in. */
      readonly reason: "not a module" | "missing import" | "trap" | "rejected" | "time" | "thread";
      /** The callback that failed: "proxy_on_configure". */
      readonly step: string;
      /** What happened, and the warnings and errors that the module logged. */
      readonly message: string;
      readonly log: readonly LogLine[];
    };

/** The task of the thread. */
export interface TrialTask {
  readonly wasm: Uint8Array;
  readonly config: string | undefined;
  readonly rootId: string | undefined;
}

/** A message from the thread: each callback before it begins, and finally the result. */
export type TrialReport = { readonly step: string } | { readonly result: TrialResult };

/**
 * Starts a module, configures it and sends it one request, in a thread that is stopped at the time limit. A thread that
 * is still usable afterwards stays idle for some seconds, for the next trial: starting a thread is the slowest part.
 */
export async function trial(wasm: Uint8Array, { config, rootId, timeLimitMs }: TrialOptions): Promise<TrialResult> {
  const thread = takeIdle() ?? new TrialThread();
  const result = await thread.run({ wasm, config, rootId }, timeLimitMs);
  if (thread.isGood && idle === undefined) keepIdle(thread);
  else await thread.end();
  return result;
}

const idleMs = 10_000;
let idle: { readonly thread: TrialThread; readonly timer: NodeJS.Timeout } | undefined;

function keepIdle(thread: TrialThread): void {
  const timer = setTimeout(() => void takeIdle()?.end(), idleMs);
  idle = { thread, timer: timer.unref() };
}

function takeIdle(): TrialThread | undefined {
  const taken = idle;
  idle = undefined;
  clearTimeout(taken?.timer);
  return taken?.thread.isGood === true ? taken.thread : undefined;
}

/** Runs one trial after another, until a module does not end or ends the thread. */
class TrialThread {
  /** False when the thread cannot run another trial. */
  isGood = true;
  readonly #worker = new Worker(new URL(`./trial-worker${extname(import.meta.filename)}`, import.meta.url), {
    env: {},
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 16 },
  });
  #step = "loading";
  #settle: (result: TrialResult) => void = () => {};

  constructor() {
    this.#worker.on("message", (report: TrialReport) => {
      if ("step" in report) this.#step = report.step;
      else this.#settle(report.result);
    });
    this.#worker.on("error", (error) => this.#fail("thread", `ended its thread: ${error.message}`));
    this.#worker.on("exit", () => this.#fail("thread", "ended its thread"));
  }

  async run(task: TrialTask, timeLimitMs: number): Promise<TrialResult> {
    const { promise, resolve } = Promise.withResolvers<TrialResult>();
    this.#step = "loading";
    this.#settle = resolve;
    const late = `did not end in ${timeLimitMs} ms: an endless loop?`;
    const timer = setTimeout(() => this.#fail("time", late), timeLimitMs);
    this.#worker.ref();
    this.#worker.postMessage(task);
    const result = await promise;
    clearTimeout(timer);
    // An idle thread does not keep the process alive.
    this.#worker.unref();
    return result;
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }

  #fail(reason: "time" | "thread", what: string): void {
    this.isGood = false;
    this.#settle({ ok: false, reason, step: this.#step, message: `${this.#step} ${what}`, log: [] });
  }
}
