import { readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { readBinary } from "../filter-registry/wasm-binary.ts";
import { CommandFailure, exitCodes } from "./exit-codes.ts";

/** A compiled filter, built from its folder or read from a file. */
export interface FilterModule {
  readonly name: string;
  readonly wasm: Uint8Array;
  readonly wasmPath: string;
  /** Its source map, used to locate traps. Absent when it was read from a file. */
  readonly map?: string;
  readonly warnings: readonly string[];
  /** The configuration in the folder's config.json. Absent when there is none. */
  readonly config?: unknown;
}

/**
 * Limits the instructions that a callback of the module may execute: a callback that exceeds them traps. Without the limit,
 * an endless loop would block a worker of Envoy for ever. A file that is not a module is returned unchanged, because the
 * server reports its faults.
 */
export async function fuelled(module: FilterModule): Promise<FilterModule> {
  const { withFuel } = await import("@chancery/filter-sdk/fuel");
  if (!readBinary(module.wasm).ok) return module;
  try {
    return { ...module, ...withFuel(module.wasm, module.map === undefined ? {} : { map: module.map }) };
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    const message = `Cannot limit the instructions of ${module.wasmPath}: ${cause}\n  push it with --no-fuel; endless loops are then not ended`;
    throw new CommandFailure(exitCodes.rejected, message);
  }
}

/** Builds the filter in a folder, or reads a .wasm file, whose name becomes the name of the filter. */
export async function filterModule(path: string): Promise<FilterModule> {
  if (isFolder(path)) return await build(path);
  if (!path.endsWith(".wasm"))
    throw new CommandFailure(exitCodes.usage, `${path} is neither the folder of a filter nor a .wasm file`);
  return { name: basename(path, ".wasm"), wasm: new Uint8Array(readFileSync(path)), wasmPath: path, warnings: [] };
}

async function build(directory: string): Promise<FilterModule> {
  // The compiler is large, so only commands that build load it.
  const { buildFilter } = await import("@chancery/filter-sdk/build");
  const built = await buildFilter(directory);
  if (!built.ok) throw new CommandFailure(exitCodes.rejected, `Cannot build ${directory}:\n${built.errors.join("\n")}`);
  const { name, wasm, wasmPath, warnings, map } = built;
  const config = readConfig(join(directory, "config.json"), false);
  return { name, wasm, wasmPath, warnings, map, ...(config === undefined ? {} : { config }) };
}

/** Reads the configuration of a filter from a JSON file. Undefined when the file is missing and not needed. */
export function readConfig(file: string, isNeeded: boolean): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
    if (isMissing && !isNeeded) return undefined;
    const cause = error instanceof Error ? error.message : String(error);
    throw new CommandFailure(exitCodes.rejected, `Cannot read the configuration ${file}: ${cause}`);
  }
}

function isFolder(path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) throw new CommandFailure(exitCodes.rejected, `${path} does not exist`);
  return found.isDirectory();
}
