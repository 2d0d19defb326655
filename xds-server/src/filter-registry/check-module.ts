import { type Inspected, inspectModule, type ModuleLimits } from "./module-check.ts";
import { tryModule } from "./trial.ts";

export interface CheckLimits extends ModuleLimits {
  /** For all that the module does while it is tried, in milliseconds. */
  readonly trialTimeLimitMs: number;
}

/** Judges a module: first what can be read, then, when that is good, what it does when it is started in a thread of its own. */
export async function checkModule(wasm: Uint8Array, limits: CheckLimits): Promise<Inspected> {
  const inspected = await inspectModule(wasm, limits);
  if (!inspected.ok) return inspected;
  const faults = await tryModule(wasm, { timeLimitMs: limits.trialTimeLimitMs });
  return faults.length === 0 ? inspected : { ok: false, faults };
}
