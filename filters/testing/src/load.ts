import { readFile } from "node:fs/promises";
import { SourceMap } from "node:module";
import { bytesOf } from "./bytes.ts";
import type { RootContext } from "./context.ts";
import type { ModuleSource } from "./filter-options.ts";
import type { LogLine } from "./log.ts";
import { describeTrap } from "./trap.ts";
import { MissingImport } from "./vm.ts";
import { type WasmModule, WebAssembly } from "./web-assembly.ts";
import { begin, type FilterSetup } from "./worker.ts";
import type { World } from "./world.ts";

/** Why Envoy would reject a module: it is not a module, an import does not exist, it trapped, or it answered false. */
export type Rejection = "not a module" | "missing import" | "trap" | "rejected";

/** The module cannot be loaded, or rejects its configuration. */
export class FilterRejected extends Error {
  readonly reason: Rejection;
  /** What the module logged before. */
  readonly log: readonly LogLine[];

  constructor(reason: Rejection, message: string, log: readonly LogLine[] = []) {
    const said = log.filter(({ level }) => level !== "info").map(({ message }) => `\n  ${message}`);
    super(message + said.join(""));
    this.reason = reason;
    this.log = log;
  }
}

/** Reads a module and the source map beside it. */
export async function readModule(
  module: ModuleSource,
): Promise<{ wasm: Uint8Array; sourceMap: SourceMap | undefined }> {
  if (module instanceof Uint8Array) return { wasm: module, sourceMap: undefined };
  const wasm = await readFile(module);
  const map = module instanceof URL ? new URL(`${module.href}.map`) : `${module}.map`;
  const text = await readFile(map, "utf8").catch(() => undefined);
  return { wasm, sourceMap: text === undefined ? undefined : new SourceMap(JSON.parse(text)) };
}

/** Throws FilterRejected. */
export function compile(wasm: Uint8Array): WasmModule {
  try {
    return new WebAssembly.Module(wasm);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new FilterRejected("not a module", `this is not a module: ${message}`);
  }
}

/** Starts and configures a filter. Throws FilterRejected. */
export function begun(setup: FilterSetup, world: World): RootContext {
  const { name } = setup.plugin;
  try {
    const outcome = begin(setup, world);
    if ("root" in outcome) return outcome.root;
    if ("trap" in outcome) throw new FilterRejected("trap", describeTrap(outcome.trap), world.log.lines.slice(0, -1));
    throw new FilterRejected("rejected", `${name} answers false in ${outcome.rejectedIn}`, world.log.lines);
  } catch (error) {
    if (!(error instanceof MissingImport)) throw error;
    throw new FilterRejected("missing import", `${name} imports ${error.message}, which Envoy does not have`);
  }
}

/** Passes strings and bytes as they are, and anything else as JSON. */
export function configurationOf(config: unknown): Buffer {
  if (config === undefined) return Buffer.alloc(0);
  return bytesOf(typeof config === "string" || config instanceof Uint8Array ? config : JSON.stringify(config));
}
