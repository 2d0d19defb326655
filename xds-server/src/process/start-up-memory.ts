import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/**
 * Returns memory of the start-up to the system. Loading the program needs twice the memory that stays in use, and V8 would
 * keep it. Takes about 50 ms, once.
 */
export function giveBackStartUpMemory(): void {
  setFlagsFromString("--expose-gc");
  const collect: NodeJS.GCFunction = runInNewContext("gc");
  setFlagsFromString("--no-expose-gc");
  // Only this flavor also returns pages to the system.
  collect({ type: "major", execution: "sync", flavor: "last-resort" });
}
