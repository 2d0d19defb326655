import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type BuildResult, buildFilter } from "@chancery/filter-sdk/build";
import { cacheFolder } from "@chancery/filter-sdk/build-cache";
import { repository } from "./server-process.ts";

export type BuiltFilter = Extract<BuildResult, { readonly ok: true }>;

/** Builds the filter in a folder, once for equal sources. A relative path starts at the top of this repository. */
export async function builtFilter(folder: string): Promise<BuiltFilter> {
  const built = await buildFilter(path.resolve(repository, folder), { cache: cacheFolder() });
  if (!built.ok) throw new Error(built.errors.join("\n"));
  return built;
}

/** Builds a filter from one file of AssemblyScript. Returns its module. */
export async function builtFromSource(source: string): Promise<Uint8Array<ArrayBuffer>> {
  const folder = mkdtempSync(path.join(tmpdir(), "chancery-source-"));
  try {
    writeFilter(folder, source);
    return new Uint8Array((await builtFilter(folder)).wasm);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Writes a filter named "subject" into a folder: its package.json and one source file. */
export function writeFilter(folder: string, source: string): void {
  mkdirSync(path.join(folder, "assembly"), { recursive: true });
  writeFileSync(path.join(folder, "package.json"), '{"name": "subject"}');
  writeFileSync(path.join(folder, "assembly", "index.ts"), source);
}
