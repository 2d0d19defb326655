import { readdir, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { buildFilter } from "./build.ts";

/** The script of `npm run build`: builds the filters of this repository whose sources are newer than their module. */
const filters = fileURLToPath(new URL("../../", import.meta.url));
const sdk = join(filters, "sdk");

const sdkChanged = Math.max(await newest(join(sdk, "assembly")), await newest(join(sdk, "tools")));
for (const name of (await readdir(filters)).sort()) {
  const directory = join(filters, name);
  const sourcesChanged = await newest(join(directory, "assembly"));
  if (directory === sdk || sourcesChanged === 0) continue;
  const changed = Math.max(sdkChanged, sourcesChanged, await newest(join(directory, "package.json")));
  if ((await newest(join(directory, "build"))) > changed) continue;
  const built = await buildFilter(directory);
  if (built.ok) {
    for (const warning of built.warnings) say(`${shown(directory)}: ${warning}`);
    say(`built ${shown(built.wasmPath)}, ${built.wasm.length} bytes`);
  } else {
    for (const error of built.errors) say(`${shown(directory)}: ${error}`);
    process.exitCode = 1;
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function shown(path: string): string {
  return relative(process.cwd(), path);
}

/** The time of the last change of a file, or of the newest file below a folder; 0 when there is none. */
async function newest(path: string): Promise<number> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return 0;
  if (!found.isDirectory()) return found.mtimeMs;
  const entries = await readdir(path);
  return Math.max(0, ...(await Promise.all(entries.map((entry) => newest(join(path, entry))))));
}
