import { readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { readBinary } from "../filter-registry/wasm-binary.ts";
import { CommandFailure, exitCodes } from "./exit-codes.ts";

/** A compiled filter, built from its folder or read from a file. */
export interface FilterModule {
  readonly name: string;
  readonly wasm: Uint8Array;
  readonly wasmPath: string;
  /** Its source map, by which traps are located. */
  readonly map?: string;
  readonly warnings: readonly string[];
  /** The configuration that stands beside the source, when there is one. */
  readonly config?: unknown;
}

/**
 * The same module, whose callbacks trap when they take more than a budget of instructions: in Envoy, an endless loop holds a
 * worker for ever. What cannot be read as a module stays as it is, for the server to say why.
 */
export async function fuelled(module: FilterModule): Promise<FilterModule> {
  const { withFuel } = await import("@chancery/filter-sdk/fuel");
  if (!readBinary(module.wasm).ok) return module;
  try {
    return { ...module, ...withFuel(module.wasm, module.map === undefined ? {} : { map: module.map }) };
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    const message = `Cannot give ${module.wasmPath} fuel: ${cause}\n  push it with --no-fuel, and nothing ends its endless loops`;
    throw new CommandFailure(exitCodes.rejected, message);
  }
}

/** Builds the filter of a folder, or reads a .wasm file; its name is the file's. */
export async function filterModule(path: string): Promise<FilterModule> {
  if (isFolder(path)) return await build(path);
  if (!path.endsWith(".wasm"))
    throw new CommandFailure(exitCodes.usage, `${path} is neither a filter's folder nor a .wasm file`);
  return { name: basename(path, ".wasm"), wasm: new Uint8Array(readFileSync(path)), wasmPath: path, warnings: [] };
}

async function build(directory: string): Promise<FilterModule> {
  // The compiler is large: only the commands that build load it.
  const { buildFilter } = await import("@chancery/filter-sdk/build");
  const built = await buildFilter(directory);
  if (!built.ok) throw new CommandFailure(exitCodes.rejected, `Cannot build ${directory}:\n${built.errors.join("\n")}`);
  const { name, wasm, wasmPath, warnings, map } = built;
  const config = readConfig(join(directory, "config.json"), false);
  return { name, wasm, wasmPath, warnings, map, ...(config === undefined ? {} : { config }) };
}

/** A filter's configuration: a JSON file. Undefined when it may be missing, and is. */
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
