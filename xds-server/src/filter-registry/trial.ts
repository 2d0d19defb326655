import { trial } from "@chancery/filter-testing";
import type { ModuleFault } from "./module-fault.ts";

export interface TrialOptions {
  /** Absent: that the module rejects an empty one is no fault. */
  readonly configuration?: string;
  /** For all that the module does. */
  readonly timeLimitMs: number;
}

const mostLogLines = 10;
const mostFrames = 3;
const longestLogLine = 500;

/**
 * Starts and configures a module as Envoy would and sends it one request, in a thread that can be stopped. Answers what
 * went wrong.
 */
export async function tryModule(wasm: Uint8Array, options: TrialOptions): Promise<readonly ModuleFault[]> {
  const { configuration, timeLimitMs } = options;
  const result = await trial(wasm, { timeLimitMs, ...(configuration === undefined ? {} : { config: configuration }) });
  if (result.ok) return [];
  const { reason, step } = result;
  const log = result.log
    .filter(({ level }) => level === "warn" || level === "error" || level === "critical")
    .slice(0, mostLogLines)
    .map(({ message }) => message.trim().slice(0, longestLogLine))
    .join("; ");
  if (reason === "time") {
    const message = `does not end in ${timeLimitMs} ms, in ${step} (an endless loop?)`;
    return [{ code: "FILTER_TIME_LIMIT", message }];
  }
  if (reason === "refused" && step === "proxy_on_configure") {
    const message = `rejects the configuration: ${log === "" ? "it logged no reason" : log}`;
    return [{ code: "FILTER_CONFIG_REJECTED", message }];
  }
  const logged = log === "" ? "" : `; it logged ${log}`;
  return [{ code: "FILTER_START_FAILED", message: `${happening(reason, step, result.message)}${logged}` }];
}

function happening(reason: string, step: string, message: string): string {
  if (reason === "refused") return `does not start: ${step} answers false`;
  if (reason !== "trap") return `fails in ${step}: ${message}`;
  const [what = "", ...frames] = message.replace(`${step} trapped: `, "").split("\n  at ");
  return `traps in ${step}: ${[what, ...frames.slice(0, mostFrames)].join(", at ")}`;
}
