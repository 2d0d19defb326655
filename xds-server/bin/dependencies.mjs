import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { npm } from "./npm.mjs";

/** Runs `npm ci`, but only when node_modules does not match package-lock.json. npm itself takes seconds for this check. */
export async function installDependencies(root, env) {
  if (isInstalled(root)) return;
  await npm(["ci"], {
    cwd: root,
    env,
    title: "Installing dependencies (npm ci)",
    failure: "Cannot install the dependencies",
  });
}

/** Whether node_modules has the locked version of each package. npm writes its record of node_modules last. */
export function isInstalled(root) {
  const record = join(root, "node_modules", ".package-lock.json");
  if (!existsSync(record)) return false;
  const wanted = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages;
  const present = JSON.parse(readFileSync(record, "utf8")).packages;
  return Object.entries(wanted).every(([path, entry]) => {
    if (!path.startsWith("node_modules/") && !path.includes("/node_modules/")) return true;
    const found = present[path];
    // An optional package can be for another platform.
    if (found === undefined) return entry.optional === true;
    return found.version === entry.version && found.integrity === entry.integrity && found.link === entry.link;
  });
}
