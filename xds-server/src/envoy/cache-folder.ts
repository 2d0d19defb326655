import { homedir } from "node:os";
import path from "node:path";

/** Where fetched programs are kept. bin/node-runtime.mjs says the same before anything is built. */
export function cacheFolder(env: NodeJS.ProcessEnv): string {
  return env["CHANCERY_CACHE"] || path.join(env["XDG_CACHE_HOME"] || path.join(homedir(), ".cache"), "chancery");
}
