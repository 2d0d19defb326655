import { homedir } from "node:os";
import path from "node:path";

/** The folder for fetched programs. bin/node-runtime.mjs has the same rule for the time before the build. */
export function cacheFolder(env: NodeJS.ProcessEnv): string {
  return env["CHANCERY_CACHE"] || path.join(env["XDG_CACHE_HOME"] || path.join(homedir(), ".cache"), "chancery");
}
