import { Worker } from "node:worker_threads";
import type { ModuleFault } from "./module-fault.ts";

export interface TrialOptions {
  readonly configuration?: string;
  readonly timeLimitMs: number;
}

/** What the thread is given. */
export interface Trial {
  readonly wasm: Uint8Array;
  readonly configuration: string;
}

/** What the thread says: each step as it begins it, and at last how it went. */
export type TrialReport =
  | { readonly step: string }
  /** The module was started and configured. `refused` holds what it logged when it answered false. */
  | { readonly refused: string | undefined }
  | { readonly failed: string };

/**
 * Starts and configures a module as Envoy would, in a thread that can be stopped, with host calls that do nothing.
 * Answers what went wrong. Without a configuration, its refusal of an empty one is no fault.
 */
export async function tryModule(wasm: Uint8Array, options: TrialOptions): Promise<readonly ModuleFault[]> {
  const { configuration = "", timeLimitMs } = options;
  const trial: Trial = { wasm, configuration };
  const worker = new Worker(new URL("./trial-worker.js", import.meta.url), {
    workerData: trial,
    env: {},
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 16 },
  });
  try {
    const report = await lastReport(worker, timeLimitMs);
    if ("late" in report) return [{ code: "FILTER_TIME_LIMIT", message: report.late }];
    if ("failed" in report) return [{ code: "FILTER_START_FAILED", message: report.failed }];
    if (report.refused === undefined || options.configuration === undefined) return [];
    const log = report.refused === "" ? "it logged no reason" : report.refused;
    return [{ code: "FILTER_CONFIG_REFUSED", message: `refuses the configuration: ${log}` }];
  } finally {
    await worker.terminate();
  }
}

type LastReport = Exclude<TrialReport, { readonly step: string }> | { readonly late: string };

function lastReport(worker: Worker, timeLimitMs: number): Promise<LastReport> {
  return new Promise((resolve) => {
    let step = "loading";
    const late = () => resolve({ late: `does not end in ${timeLimitMs} ms, in ${step} (an endless loop?)` });
    const limit = setTimeout(late, timeLimitMs);
    const settle = (report: LastReport) => {
      clearTimeout(limit);
      resolve(report);
    };
    worker.on("message", (report: TrialReport) => {
      if ("step" in report) step = report.step;
      else settle(report);
    });
    worker.on("error", (error) => settle({ failed: `fails in ${step}: ${error.message}` }));
    worker.on("exit", () => settle({ failed: `ended the thread that it ran in, in ${step}` }));
  });
}
