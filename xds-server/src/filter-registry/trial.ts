import { trial } from "@chancery/filter-testing";
import type { Fault } from "../model/problem.ts";

export interface TrialOptions {
  /** Absent: the module gets an empty configuration, and may reject it without a fault. */
  readonly configuration?: string;
  /** The maximum time for all steps together, in milliseconds. */
  readonly timeLimitMs: number;
}

const maxLogLines = 10;
const maxFrames = 3;
const maxLogLineLength = 500;

/**
 * Starts and configures a module as Envoy does, and sends it one request, in a thread that can be stopped. Returns the fault,
 * if there is one.
 */
export async function tryModule(wasm: Uint8Array, options: TrialOptions): Promise<readonly Fault[]> {
  const { configuration, timeLimitMs } = options;
  const result = await trial(wasm, { timeLimitMs, ...(configuration === undefined ? {} : { config: configuration }) });
  if (result.ok) return [];
  const { reason, step } = result;
  const log = result.log
    .filter(({ level }) => level === "warn" || level === "error" || level === "critical")
    .slice(0, maxLogLines)
    .map(({ message }) => message.trim().slice(0, maxLogLineLength))
    .join("; ");
  if (reason === "time") {
    const message = `does not end within ${timeLimitMs} ms: it was in ${step} (an endless loop?)`;
    return [{ code: "FILTER_TIME_LIMIT", message }];
  }
  if (reason === "rejected" && step === "proxy_on_configure") {
    const message = `rejects the configuration: ${log === "" ? "it logged no reason" : log}`;
    return [{ code: "FILTER_CONFIG_REJECTED", message }];
  }
  const logged = log === "" ? "" : `; it logged ${log}`;
  return [{ code: "FILTER_START_FAILED", message: `${startFailureText(reason, step, result.message)}${logged}` }];
}

function startFailureText(reason: string, step: string, message: string): string {
  if (reason === "rejected") return `does not start: ${step} returns false`;
  if (reason !== "trap") return `fails in ${step}: ${message}`;
  const [what = "", ...frames] = message.replace(`${step} trapped: `, "").split("\n  at ");
  return `traps in ${step}: ${[what, ...frames.slice(0, maxFrames)].join(", at ")}`;
}
