import { parentPort } from "node:worker_threads";
import { Host } from "./host.ts";
import { FilterRejected } from "./load.ts";
import { describeTrap } from "./trap.ts";
import type { TrialReport, TrialResult, TrialTask } from "./trial.ts";

/** Runs in a separate thread, because a module may loop for ever. */
const say = (report: TrialReport) => parentPort?.postMessage(report);

parentPort?.on("message", (task: TrialTask) => say({ result: tried(task) }));

function tried({ wasm, config, rootId }: TrialTask): TrialResult {
  let step = "loading";
  const onCallback = (name: string) => {
    // The allocator runs in the middle of another callback, which stays the current step.
    if (name === "proxy_on_memory_allocate" || name === "malloc") return;
    step = name;
    say({ step });
  };
  const name = rootId ?? "filter";
  try {
    const options = { name, onCallback, strict: false, ...(config !== undefined && { config }) };
    const host = new Host(wasm, undefined, options);
    host.open({ method: "GET", path: "/", headers: { "user-agent": "chancery-trial" } });
    host.close();
    const { trap, log } = host;
    if (trap === undefined) return { ok: true, log };
    return { ok: false, reason: "trap", step: trap.callback, message: describeTrap(trap), log };
  } catch (error) {
    if (!(error instanceof FilterRejected)) throw error;
    const { reason, message, log } = error;
    if (reason === "rejected" && config === undefined && step === "proxy_on_configure") return { ok: true, log };
    return { ok: false, reason, step, message, log };
  }
}
