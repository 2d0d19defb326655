import type { CatalogOptions } from "./artifacts.ts";

/** Limits for a few small modules. */
export const catalogLimits: Omit<CatalogOptions, "directory"> = {
  maxModuleBytes: 10_000,
  maxMemoryPages: 4096,
  maxVersions: 3,
  maxTotalBytes: 100_000,
  trialTimeLimitMs: 5000,
  needed: async () => new Set(),
};

/** The description of a module for tests. Each function has a signature and a body. */
export interface HandMade {
  readonly imports?: readonly { readonly module?: string; readonly name: string; readonly signature: string }[];
  /** An import that is not a function, with the name env.thing. */
  readonly importsOther?: "memory" | "table" | "global";
  readonly functions: Readonly<Record<string, { readonly signature: string; readonly body?: readonly number[] }>>;
  readonly memory?: { readonly minimum: number; readonly maximum?: number } | "none";
  readonly exportsMemory?: boolean;
  /** Another name under which the memory is exported. */
  readonly exportsMemoryAs?: string;
  /** The manifest: a text is used unchanged, any other value is written as JSON. */
  readonly manifest?: unknown;
  /** The function that a start section names. */
  readonly start?: string;
}

export const op = {
  unreachable: [0x00],
  /** loop { br 0 } */
  loopForEver: [0x03, 0x40, 0x0c, 0x00, 0x0b],
  constant: (value: number) => [0x41, ...signed(value)],
  call: (index: number) => [0x10, ...unsigned(index)],
  drop: [0x1a],
  /** Reads a word far beyond the end of the memory. */
  readBeyond: [0x41, 0x7c, 0x28, 2, 0],
  divideByZero: [0x41, 1, 0x41, 0, 0x6d],
};

/** The exports that Envoy requires of every module. */
export const least: HandMade["functions"] = {
  proxy_abi_version_0_2_1: { signature: "->" },
  proxy_on_memory_allocate: { signature: "i32 -> i32", body: op.constant(1024) },
};

/** Builds a module. Function indices count the imports first. */
export function handMade(made: HandMade): Uint8Array {
  const { imports = [], functions, memory = { minimum: 1, maximum: 16 }, exportsMemory = memory !== "none" } = made;
  const own = Object.entries(functions);
  const signatures = [
    ...new Set([...imports, ...own.map(([, { signature }]) => ({ signature }))].map((f) => f.signature)),
  ];
  const typeOf = (signature: string) => unsigned(signatures.indexOf(signature));
  const index = (name: string) => imports.length + own.findIndex(([own]) => own === name);
  const importEntries = imports.map(({ module = "env", name, signature }) => [
    ...text(module),
    ...text(name),
    0,
    ...typeOf(signature),
  ]);
  if (made.importsOther !== undefined)
    importEntries.push([...text("env"), ...text("thing"), ...others[made.importsOther]]);
  const exportEntries = own.map(([name]) => [...text(name), 0, ...unsigned(index(name))]);
  if (exportsMemory) exportEntries.push([...text("memory"), 2, 0]);
  if (made.exportsMemoryAs !== undefined) exportEntries.push([...text(made.exportsMemoryAs), 2, 0]);
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, list(signatures.map(functionType))),
    ...section(2, list(importEntries)),
    ...section(3, list(own.map(([, { signature }]) => typeOf(signature)))),
    ...(memory === "none" || made.importsOther === "memory" ? [] : section(5, list([limits(memory)]))),
    ...section(7, list(exportEntries)),
    ...(made.start === undefined ? [] : section(8, unsigned(index(made.start)))),
    ...section(10, list(own.map(([, { signature, body }]) => code(signature, body)))),
    ...(made.manifest === undefined ? [] : customSection("chancery.manifest", bytesOf(made.manifest))),
  ]);
}

/** The encoded kind and type of each. */
const others = { table: [1, 0x70, 0, 0], memory: [2, 1, 1, 16], global: [3, 0x7f, 0] };

export function customSection(name: string, content: Uint8Array): number[] {
  return section(0, [...text(name), ...content]);
}

const bytesOf = (manifest: unknown): Uint8Array =>
  new TextEncoder().encode(typeof manifest === "string" ? manifest : JSON.stringify(manifest));

const types: Readonly<Record<string, number>> = { i32: 0x7f, i64: 0x7e, f64: 0x7c };

function functionType(signature: string): number[] {
  const [parameters = "", results = ""] = signature.split("->");
  const valueTypes = (names: string) =>
    names
      .split(" ")
      .filter(Boolean)
      .map((name) => [types[name] ?? 0]);
  return [0x60, ...list(valueTypes(parameters)), ...list(valueTypes(results))];
}

function code(signature: string, body: readonly number[] | undefined): number[] {
  const answers = signature.trim().endsWith("->") ? [] : op.constant(1);
  const content = [0, ...(body ?? answers), 0x0b];
  return [...unsigned(content.length), ...content];
}

function limits({ minimum, maximum }: { readonly minimum: number; readonly maximum?: number }): number[] {
  return maximum === undefined ? [0, ...unsigned(minimum)] : [1, ...unsigned(minimum), ...unsigned(maximum)];
}

function section(id: number, content: readonly number[]): number[] {
  return [id, ...unsigned(content.length), ...content];
}

function list(elements: readonly (readonly number[])[]): number[] {
  return [...unsigned(elements.length), ...elements.flat()];
}

function text(value: string): number[] {
  return [...unsigned(value.length), ...new TextEncoder().encode(value)];
}

function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}

function signed(value: number): number[] {
  return value < 0x40 ? [value] : [(value & 0x7f) | 0x80, ...signed(value >>> 7)];
}
