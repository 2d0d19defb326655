import { readdir, stat } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { buildFilter } from "./build.ts";
import { cacheFolder } from "./build-cache.ts";

/**
 * The script of `npm run build`: builds the filters of this repository whose sources are newer than their module. With folders as
 * arguments it builds only those; the folder of the SDK stands for all filters.
 */
const filters = fileURLToPath(new URL("../../", import.meta.url));
const sdk = resolve(filters, "sdk");
const cache = cacheFolder();
const named = process.argv.slice(2).map((folder) => resolve(folder));
const isNamed = (directory: string): boolean =>
  named.length === 0 || [sdk, directory].some((each) => named.includes(each));
/** They are put into the module, too. */
const descriptions = ["package.json", "config.schema.json"];

const sdkChanged = Math.max(await newest(join(sdk, "assembly")), await newest(join(sdk, "tools")));
for (const name of (await readdir(filters)).sort()) {
  const directory = join(filters, name);
  const sourcesChanged = await newest(join(directory, "assembly"));
  if (directory === sdk || sourcesChanged === 0 || !isNamed(directory)) continue;
  const described = await Promise.all(descriptions.map((file) => newest(join(directory, file))));
  const changed = Math.max(sdkChanged, sourcesChanged, ...described);
  if ((await newest(join(directory, "build"))) > changed) continue;
  const built = await buildFilter(directory, { cache });
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
