import { createHash } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { kept } from "./build-cache.ts";
import { type Compiled, type CompileOptions, compile, library, libraryPrefix } from "./compile.ts";

/** Some ten versions of each filter of this repository; a module and its map are 150 KiB. */
const atMost = 150;
/** What makes the module, besides AssemblyScript itself: they lie beside dist/, too. */
const ownSources = ["compile.ts", "callbacks.ts"].map((file) =>
  fileURLToPath(new URL(`../tools/${file}`, import.meta.url)),
);
const { version: compilerVersion } = createRequire(import.meta.url)("assemblyscript/package.json") as {
  readonly version: string;
};

/**
 * Compiles a filter's folder, or takes the module that the same sources and compiler gave before.
 * Errors are not kept, nor is a module whose sources changed meanwhile or lie outside of `assembly/` and the library, because the
 * key is of these alone.
 */
export async function compileOnce(options: CompileOptions, cache: string): Promise<Compiled> {
  let compiled: Compiled | undefined;
  const key = await digestOf(options);
  try {
    const folder = await kept({ kind: "filter-modules", key, atMost, cache }, async (unfinished) => {
      compiled = await compile(options);
      if (!compiled.ok || !compiled.sources.every(isInKey) || key !== (await digestOf(options))) throw new NotKept();
      const { wasm, ...rest } = compiled;
      await writeFile(join(unfinished, "module.wasm"), wasm);
      await writeFile(join(unfinished, "module.json"), JSON.stringify(rest));
    });
    if (compiled !== undefined) return compiled;
    const wasm = new Uint8Array(await readFile(join(folder, "module.wasm")));
    return { ...JSON.parse(await readFile(join(folder, "module.json"), "utf8")), wasm };
  } catch (error) {
    if (error instanceof NotKept && compiled !== undefined) return compiled;
    throw error;
  }
}

class NotKept extends Error {}

const isInKey = (source: string): boolean => source.startsWith("assembly/") || source.startsWith(libraryPrefix);

async function digestOf({ directory, source, maximumMemoryPages }: CompileOptions): Promise<string> {
  const hash = createHash("sha256").update(JSON.stringify([compilerVersion, source, maximumMemoryPages]));
  const files = await Promise.all([join(directory, "assembly"), library].map(sourcesIn));
  for (const [name, path] of [...files.flat(), ...ownSources.map((path) => ["", path] as const)]) {
    const content = await readFile(path);
    hash.update(`\n${name} ${content.length}\n`).update(content);
  }
  return hash.digest("hex");
}

async function sourcesIn(folder: string): Promise<(readonly [name: string, path: string])[]> {
  const names = await readdir(folder, { recursive: true });
  const sources = names.filter((name) => name.endsWith(".ts")).sort();
  return sources.map((name) => [name, join(folder, name)]);
}
