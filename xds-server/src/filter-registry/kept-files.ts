import { createHash } from "node:crypto";
import { open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { FilterVersion } from "./versions.ts";

/** The content of the registry's folder: the modules, and the list of versions. */
export interface KeptFiles {
  readonly versions: readonly FilterVersion[];
  /** The modules by sha256. A module whose digest does not match its name is left out and listed in `faults`. */
  readonly modules: ReadonlyMap<string, Uint8Array>;
  readonly faults: readonly string[];
}

const indexFile = "index.json";
const moduleFile = (sha256: string): string => `${sha256}.wasm`;
const mapFile = (sha256: string): string => `${sha256}.wasm.map`;

export const sha256Of = (bytes: Uint8Array | string): string => createHash("sha256").update(bytes).digest("hex");

/**
 * Reads the folder and checks the digest of every module. Removes the files that belong to no version, which a crash can leave
 * behind. Removes nothing when the list of versions cannot be read.
 */
export async function readKept(directory: string): Promise<KeptFiles> {
  const faults: string[] = [];
  const versions = await readIndex(join(directory, indexFile), faults);
  const modules = new Map<string, Uint8Array>();
  const damaged = new Set<string>();
  for (const { sha256, filter, version } of versions) {
    if (modules.has(sha256) || damaged.has(sha256)) continue;
    const path = join(directory, moduleFile(sha256));
    const wasm = await readIfThere(path);
    if (wasm !== undefined && sha256Of(wasm) === sha256) {
      modules.set(sha256, wasm);
      continue;
    }
    damaged.add(sha256);
    const found = wasm === undefined ? "is missing" : `has the sha256 ${sha256Of(wasm)}`;
    faults.push(`Cannot use ${path}, filter "${filter}" ${version}: the file ${found}; push the module again`);
  }
  const named = new Set([...modules.keys(), ...damaged].flatMap((sha256) => [moduleFile(sha256), mapFile(sha256)]));
  const isReadable = faults.length === damaged.size;
  for (const file of await readdir(directory)) {
    const isLeftOver = /^[0-9a-f]{64}\.wasm(\.map)?(\.unfinished)?$/.test(file) && !named.has(file);
    if (isReadable && isLeftOver) await rm(join(directory, file));
  }
  return { versions, modules, faults };
}

export async function writeModule(directory: string, sha256: string, wasm: Uint8Array): Promise<void> {
  await writeDurably(directory, moduleFile(sha256), wasm);
}

export async function removeModule(directory: string, sha256: string): Promise<void> {
  for (const file of [moduleFile(sha256), mapFile(sha256)]) await rm(join(directory, file), { force: true });
}

/** Source maps are for people who search for a fault. They are read only on request, and not checked. */
export async function writeSourceMap(directory: string, sha256: string, map: string): Promise<void> {
  await writeDurably(directory, mapFile(sha256), map);
}

export async function readSourceMap(directory: string, sha256: string): Promise<string | undefined> {
  const bytes = await readIfThere(join(directory, mapFile(sha256)));
  return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
}

export async function writeIndex(directory: string, versions: readonly FilterVersion[]): Promise<void> {
  const index = { checksum: checksumOf(versions), versions };
  await writeDurably(directory, indexFile, `${JSON.stringify(index, undefined, 2)}\n`);
}

const checksumOf = (versions: readonly FilterVersion[]): string =>
  sha256Of(
    JSON.stringify(versions.map(({ filter, version, sha256, pushedAt }) => [filter, version, sha256, pushedAt])),
  );

async function readIndex(path: string, faults: string[]): Promise<readonly FilterVersion[]> {
  const bytes = await readIfThere(path);
  if (bytes === undefined) return [];
  try {
    const index = JSON.parse(new TextDecoder().decode(bytes)) as {
      readonly checksum: string;
      readonly versions: readonly FilterVersion[];
    };
    const isWhole = index.versions.every(({ sha256 }) => /^[0-9a-f]{64}$/.test(sha256));
    if (!isWhole || checksumOf(index.versions) !== index.checksum)
      throw new TypeError("its checksum does not match its content");
    return index.versions;
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    faults.push(`Cannot read ${path}: ${cause}; put the file back from a backup, or push the modules again`);
    return [];
  }
}

async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  try {
    return new Uint8Array(await readFile(path));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

/** Writes a file so that after a crash at any time the folder has either the complete new file or the old one. */
async function writeDurably(directory: string, name: string, content: Uint8Array | string): Promise<void> {
  const path = join(directory, name);
  const unfinished = `${path}.unfinished`;
  const file = await open(unfinished, "w");
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(unfinished, path);
  const folder = await open(directory, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
