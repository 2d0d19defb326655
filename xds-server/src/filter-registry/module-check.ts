import type { Fault } from "../model/problem.ts";
import { abiExports, callbacks, importHints, importModules } from "./abi.ts";
import { type Manifest, readManifest } from "./manifest.ts";
import { readBinary, type WasmBinary, type WasmExport, type WasmImport } from "./wasm-binary.ts";
import { WebAssembly } from "./web-assembly.ts";

export interface ModuleLimits {
  /** The maximum size of a module, in bytes. xDS responses contain the whole module. */
  readonly maxModuleBytes: number;
  /** The maximum memory of a module on each worker of each proxy, in pages of 64 KiB. */
  readonly maxMemoryPages: number;
}

/** The limits unless the server's `--limit` changes them: 16 MiB of code, 256 MiB of memory. */
export const defaultModuleLimits: ModuleLimits = { maxModuleBytes: 16 * 1024 * 1024, maxMemoryPages: 4096 };

/** The facts about a module that are read from its bytes. */
export interface ModuleFacts {
  /** The module's version of the proxy-wasm ABI: "0.2.1". */
  readonly abi: string;
  /** The host calls that the module imports, in alphabetical order. */
  readonly hostCalls: readonly string[];
  /** The callbacks that the module exports, in alphabetical order. */
  readonly callbacks: readonly string[];
  /** The module's manifest. Absent when another tool built the module. */
  readonly manifest?: Manifest;
}

export type Inspected =
  | { readonly ok: true; readonly facts: ModuleFacts }
  | { readonly ok: false; readonly faults: readonly Fault[] };

/**
 * Checks the bytes of a module. Finds all reasons why Envoy would reject the module or crash, with messages for the module's
 * author. Envoy itself only says that it cannot create the plugin. No code of the module runs.
 */
export async function inspectModule(wasm: Uint8Array, limits: ModuleLimits): Promise<Inspected> {
  if (wasm.length > limits.maxModuleBytes) {
    const message = `has ${wasm.length} bytes; the maximum is ${limits.maxModuleBytes}`;
    return rejected({ code: "FILTER_MODULE_TOO_LARGE", message });
  }
  const read = readBinary(wasm);
  if (!read.ok) {
    return rejected({ code: "FILTER_MODULE_MALFORMED", message: `is not a WebAssembly module: ${read.cause}` });
  }
  const invalid = await validationError(wasm);
  if (invalid !== undefined) {
    return rejected({ code: "FILTER_MODULE_INVALID", message: `is not a valid WebAssembly module: ${invalid}` });
  }
  const { binary } = read;
  const manifest = readManifest(binary);
  const faults = [
    ...abiFaults(binary),
    ...binary.imports.flatMap(importFaults),
    ...binary.exports.flatMap(exportFaults),
    ...startFaults(binary),
    ...memoryFaults(binary, limits.maxMemoryPages),
    ...(manifest.ok ? [] : manifest.faults),
  ];
  return faults.length > 0 || !manifest.ok
    ? rejected(...faults)
    : { ok: true, facts: factsOf(binary, manifest.manifest) };
}

/** The facts of a module that `inspectModule` accepted before. */
export function readFacts(wasm: Uint8Array): ModuleFacts | undefined {
  const read = readBinary(wasm);
  const manifest = read.ok ? readManifest(read.binary) : undefined;
  return read.ok && manifest?.ok ? factsOf(read.binary, manifest.manifest) : undefined;
}

function rejected(...faults: readonly Fault[]): Inspected {
  return { ok: false, faults };
}

function factsOf({ imports, exports }: WasmBinary, manifest: Manifest | undefined): ModuleFacts {
  const exported = exports.map(({ name }) => name);
  const abi = abiExports.findLast((name) => exported.includes(name)) ?? "";
  return {
    abi: abi.replace("proxy_abi_version_", "").replaceAll("_", "."),
    hostCalls: [...new Set(imports.map(({ name }) => name))].sort(),
    callbacks: exported.filter((name) => callbacks.has(name)).sort(),
    ...(manifest === undefined ? {} : { manifest }),
  };
}

async function validationError(wasm: Uint8Array): Promise<string | undefined> {
  try {
    await WebAssembly.compile(wasm);
    return undefined;
  } catch (error) {
    if (error instanceof WebAssembly.CompileError) return error.message.replace(/^WebAssembly\.\w+\(\): /, "");
    throw error;
  }
}

function abiFaults({ exports }: WasmBinary): Fault[] {
  const names = new Set(exports.filter(({ kind }) => kind === "function").map(({ name }) => name));
  const faults: Fault[] = [];
  if (!abiExports.some((name) => names.has(name))) {
    const other = [...names].find((name) => name.startsWith("proxy_abi_version_"));
    const hint = "export a function proxy_abi_version_0_2_1";
    if (other === undefined) {
      const message = "does not say which proxy-wasm ABI it uses";
      faults.push({ code: "FILTER_ABI_MISSING", message, hint });
    } else {
      const message = `uses the ABI ${other}, which is not supported`;
      faults.push({ code: "FILTER_ABI_UNSUPPORTED", message, found: other, hint });
    }
  }
  if (!names.has("proxy_on_memory_allocate") && !names.has("malloc")) {
    const message = "exports no memory allocator, which Envoy needs to return values";
    const hint = "export a function proxy_on_memory_allocate (or malloc)";
    faults.push({ code: "FILTER_ALLOCATOR_MISSING", message, hint });
  }
  return faults;
}

function importFaults(wanted: WasmImport): Fault[] {
  const name = `${wanted.module}.${wanted.name}`;
  const unknown = (message: string, hint?: string): Fault[] => [
    { code: "FILTER_IMPORT_UNKNOWN", message: `imports ${name}, ${message}`, hint },
  ];
  if (wanted.kind === "memory") return unknown("a memory", 'export a memory as "memory" instead');
  if (wanted.kind === "other") return unknown("which is not a function; Envoy provides only functions");
  const module = importModules.get(wanted.module);
  if (module === undefined) {
    return unknown(
      `but Envoy has no import module "${wanted.module}"`,
      `import from ${[...importModules.keys()].map((known) => `"${known}"`).join(", ")}`,
    );
  }
  const signature = module.get(wanted.name);
  if (signature === undefined) return unknown("which Envoy does not have", importHints.get(wanted.name));
  if (signature === wanted.signature) return [];
  const message = `imports ${name} as (${wanted.signature}); Envoy has it as (${signature})`;
  return [{ code: "FILTER_IMPORT_SIGNATURE", message }];
}

function exportFaults(given: WasmExport): Fault[] {
  const signature = callbacks.get(given.name);
  if (signature === undefined) return [];
  const code = "FILTER_EXPORT_SIGNATURE";
  if (given.kind !== "function") return [{ code, message: `exports ${given.name}, which should be a function` }];
  if (given.signature === signature) return [];
  return [{ code, message: `exports ${given.name} as (${given.signature}); Envoy calls it as (${signature})` }];
}

function startFaults({ hasStartSection }: WasmBinary): Fault[] {
  if (!hasStartSection) return [];
  const message = "has a start section: a host call made there crashes Envoy";
  const hint = "export _initialize instead (asc --exportStart _initialize)";
  return [{ code: "FILTER_START_SECTION", message, hint }];
}

function memoryFaults({ memories, exports }: WasmBinary, maxPages: number): Fault[] {
  const hint = `set a maximum of at most ${maxPages} pages (asc --maximumMemory)`;
  const [memory] = memories;
  if (memory === undefined) return [{ code: "FILTER_MEMORY_MISSING", message: "has no memory", hint }];
  const faults: Fault[] = [];
  if (!exports.some(({ kind, name }) => kind === "memory" && name === "memory")) {
    faults.push({ code: "FILTER_MEMORY_MISSING", message: 'does not export its memory as "memory"' });
  }
  if (memory.maximum === undefined) {
    const message = "has a memory with no maximum size, and Envoy would let it grow to 1 GiB on each worker";
    faults.push({ code: "FILTER_MEMORY_UNBOUNDED", message, hint });
  } else if (memory.maximum > maxPages) {
    const message = `may use ${memory.maximum} pages of memory on each worker`;
    faults.push({ code: "FILTER_MEMORY_TOO_LARGE", message, hint });
  }
  return faults;
}
