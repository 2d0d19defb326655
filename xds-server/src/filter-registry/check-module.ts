import { type Inspected, inspectModule, type ModuleLimits } from "./module-check.ts";
import { tryModule } from "./trial.ts";

export interface CheckLimits extends ModuleLimits {
  /** The maximum time for all steps of the trial together, in milliseconds. */
  readonly trialTimeLimitMs: number;
}

/** Checks a module: first its bytes, and when those have no fault, its behaviour when it is started in a thread of its own. */
export async function checkModule(wasm: Uint8Array, limits: CheckLimits): Promise<Inspected> {
  const inspected = await inspectModule(wasm, limits);
  if (!inspected.ok) return inspected;
  const faults = await tryModule(wasm, { timeLimitMs: limits.trialTimeLimitMs });
  return faults.length === 0 ? inspected : { ok: false, faults };
}
