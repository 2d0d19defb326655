import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { cacheFolder, kept } from "@chancery/filter-sdk/build-cache";

/**
 * The path of the program that the Go sources of a folder build, which is kept in the cache. It is built again when a source or the version of Go
 * changes. The folder has no subfolders; `go.sum` fixes the modules that it imports.
 */
export async function goProgram(name: string, folder: string): Promise<string> {
  const go = (...args: string[]): string => execFileSync("go", args, { cwd: folder, encoding: "utf8" });
  const hash = createHash("sha256").update(go("env", "GOVERSION", "GOOS", "GOARCH"));
  for (const file of readdirSync(folder).sort()) {
    const content = readFileSync(path.join(folder, file));
    hash.update(`\n${file} ${content.length}\n`).update(content);
  }
  const identity = { kind: name, key: hash.digest("hex"), atMost: 3, cache: cacheFolder() };
  const built = await kept(identity, async (unfinished) => void go("build", "-o", path.join(unfinished, name), "."));
  return path.join(built, name);
}
