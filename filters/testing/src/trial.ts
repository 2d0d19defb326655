import { Worker } from "node:worker_threads";
import type { LogLine } from "./log.ts";

export interface TrialOptions {
  /** Without one, that the module refuses an empty configuration is no fault, and no request is tried. */
  readonly config?: string;
  readonly rootId?: string;
  /** For all of it; the thread is stopped when it is over. */
  readonly timeLimitMs: number;
}

export type TrialResult =
  | { readonly ok: true; readonly log: readonly LogLine[] }
  | {
      readonly ok: false;
      /** "time" is an endless loop, or something as slow; "thread" that the module ended the thread it ran in. */
      readonly reason: "not a module" | "missing import" | "trap" | "refused" | "time" | "thread";
      /** The callback that it happened in: "proxy_on_configure". */
      readonly step: string;
      /** What happened, and what the module logged of warnings and errors. */
      readonly message: string;
      readonly log: readonly LogLine[];
    };

/** What the thread is given. */
export interface TrialTask {
  readonly wasm: Uint8Array;
  readonly config: string | undefined;
  readonly rootId: string | undefined;
}

/** What the thread says: each callback as it begins it, and at last how it went. */
export type TrialReport = { readonly step: string } | { readonly result: TrialResult };

/**
 * Starts a module, configures it and sends it one request, in a thread that is stopped when its time is over. A thread that
 * is still good afterwards is kept for the next trial, for some seconds: starting one takes longer than all else.
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

/** Tries one module after the other, until one does not end or takes the thread with it. */
class TrialThread {
  /** False once it is no use for another trial. */
  isGood = true;
  readonly #worker = new Worker(new URL("./trial-worker.js", import.meta.url), {
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
    // Whoever waits for nothing else may end while a thread is idle.
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
