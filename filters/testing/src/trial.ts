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

/** Starts a module, configures it and sends it one request, in a thread that is stopped when its time is over. */
export async function trial(wasm: Uint8Array, { config, rootId, timeLimitMs }: TrialOptions): Promise<TrialResult> {
  const task: TrialTask = { wasm, config, rootId };
  const worker = new Worker(new URL("./trial-worker.js", import.meta.url), {
    workerData: task,
    env: {},
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 16 },
  });
  try {
    return await resultOf(worker, timeLimitMs);
  } finally {
    await worker.terminate();
  }
}

function resultOf(worker: Worker, timeLimitMs: number): Promise<TrialResult> {
  return new Promise((resolve) => {
    let step = "loading";
    const settle = (result: TrialResult) => {
      clearTimeout(timer);
      resolve(result);
    };
    const failed = (reason: "time" | "thread", what: string) =>
      settle({ ok: false, reason, step, message: `${step} ${what}`, log: [] });
    const late = `did not end in ${timeLimitMs} ms: an endless loop?`;
    const timer = setTimeout(() => failed("time", late), timeLimitMs);
    worker.on("message", (report: TrialReport) => {
      if ("step" in report) step = report.step;
      else settle(report.result);
    });
    worker.on("error", (error) => failed("thread", `ended its thread: ${error.message}`));
    worker.on("exit", () => failed("thread", "ended its thread"));
  });
}
