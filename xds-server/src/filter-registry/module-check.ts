import { abiExports, callbacks, goneHostCalls, importModules } from "./abi.ts";
import { tryModule } from "./trial.ts";
import { readBinary, type WasmBinary, type WasmExport, type WasmImport } from "./wasm-binary.ts";
import { WebAssembly } from "./web-assembly.ts";

/** 256 MiB, on every worker of every proxy. */
const mostMemoryPages = 4096;

export interface CheckOptions {
  /** Judged too, when given: a filter may rightly refuse to run without one. */
  readonly configuration?: string;
  /** For all that the module does when it is started and configured. */
  readonly timeLimitMs: number;
}

/**
 * Why Envoy would refuse a module, or come to harm by it: every cause found, in words for its author. Envoy itself says
 * only that it cannot create the plugin. First what can be read, then, in a thread of its own, what it does.
 */
export async function checkModule(wasm: Uint8Array, options: CheckOptions): Promise<readonly string[]> {
  const read = readBinary(wasm);
  if (!read.ok) return [`is not a WebAssembly module: ${read.cause}`];
  const invalid = await invalidity(wasm);
  if (invalid !== undefined) return [`is not a valid WebAssembly module: ${invalid}`];
  const causes = [
    ...abiCauses(read.binary),
    ...read.binary.imports.flatMap(importCauses),
    ...read.binary.exports.flatMap(exportCauses),
    ...startCauses(read.binary),
    ...memoryCauses(read.binary),
  ];
  return causes.length > 0 ? causes : await tryModule(wasm, options);
}

async function invalidity(wasm: Uint8Array): Promise<string | undefined> {
  try {
    await WebAssembly.compile(wasm);
    return undefined;
  } catch (error) {
    if (error instanceof WebAssembly.CompileError) return error.message.replace(/^WebAssembly\.\w+\(\): /, "");
    throw error;
  }
}

function abiCauses({ exports }: WasmBinary): string[] {
  const names = new Set(exports.filter(({ kind }) => kind === "function").map(({ name }) => name));
  const causes: string[] = [];
  if (!abiExports.some((name) => names.has(name))) {
    const old = names.has("proxy_abi_version_0_1_0") ? "; proxy_abi_version_0_1_0 is not supported here" : "";
    causes.push(`does not say which proxy-wasm ABI it is for: export proxy_abi_version_0_2_1${old}`);
  }
  if (!names.has("proxy_on_memory_allocate") && !names.has("malloc")) {
    causes.push("gives Envoy no memory to write answers to: export proxy_on_memory_allocate (or malloc)");
  }
  return causes;
}

function importCauses(wanted: WasmImport): string[] {
  const name = `${wanted.module}.${wanted.name}`;
  if (wanted.kind === "memory") return [`imports its memory as ${name}; it should export one, as "memory"`];
  if (wanted.kind === "other") return [`imports ${name}, which is not a function; Envoy gives functions only`];
  const module = importModules.get(wanted.module);
  if (module === undefined) {
    return [
      `imports ${name}: Envoy gives nothing by the module name "${wanted.module}" (${[...importModules.keys()].join(", ")})`,
    ];
  }
  const signature = module.get(wanted.name);
  if (signature === undefined) {
    const instead = goneHostCalls.get(wanted.name);
    return [`imports ${name}, which Envoy does not have${instead === undefined ? "" : `: ${instead}`}`];
  }
  if (signature === wanted.signature) return [];
  return [`imports ${name} as (${wanted.signature}); Envoy has it as (${signature})`];
}

function exportCauses(given: WasmExport): string[] {
  const signature = callbacks.get(given.name);
  if (signature === undefined) return [];
  if (given.kind !== "function") return [`exports ${given.name}, which should be a function`];
  if (given.signature === signature) return [];
  return [`exports ${given.name} as (${given.signature}); Envoy calls it as (${signature})`];
}

function startCauses({ hasStartSection }: WasmBinary): string[] {
  if (!hasStartSection) return [];
  return [
    "has a start section: a host call made there crashes Envoy; export _initialize instead (asc --exportStart _initialize)",
  ];
}

function memoryCauses({ memories, exports }: WasmBinary): string[] {
  const wish = `give it one of at most ${mostMemoryPages} pages (asc --maximumMemory)`;
  const [memory] = memories;
  if (memory === undefined) return ["has no memory"];
  const causes: string[] = [];
  if (!exports.some(({ kind, name }) => kind === "memory" && name === "memory"))
    causes.push('does not export its memory as "memory"');
  if (memory.maximum === undefined)
    causes.push(`has no maximum of memory, and Envoy would let it take 1 GiB on each worker: ${wish}`);
  else if (memory.maximum > mostMemoryPages)
    causes.push(`may take ${memory.maximum} pages of memory on each worker: ${wish}`);
  return causes;
}
