/**
 * The parts of a module that the check needs. JavaScript's own WebAssembly interface has names, but no signatures, no limits and
 * no start section.
 */
export interface WasmBinary {
  readonly imports: readonly WasmImport[];
  readonly exports: readonly WasmExport[];
  /** The imported memories and the module's own. */
  readonly memories: readonly MemoryLimits[];
  readonly hasStartSection: boolean;
  /** The custom sections by name. If a name repeats, the last section counts. */
  readonly customSections: ReadonlyMap<string, Uint8Array>;
}

export type WasmImport =
  | { readonly kind: "function"; readonly module: string; readonly name: string; readonly signature: string }
  | { readonly kind: "memory"; readonly module: string; readonly name: string }
  | { readonly kind: "other"; readonly module: string; readonly name: string };

export type WasmExport =
  /** The signature is "i32 i32 -> i32". */
  | { readonly kind: "function"; readonly name: string; readonly signature: string }
  | { readonly kind: "memory"; readonly name: string }
  | { readonly kind: "other"; readonly name: string };

export interface MemoryLimits {
  /** In pages of 64 KiB. */
  readonly minimum: number;
  readonly maximum: number | undefined;
}

export type ReadBinary =
  | { readonly ok: true; readonly binary: WasmBinary }
  | { readonly ok: false; readonly cause: string };

/** Reads the sections of a module. Never throws for any bytes, and reads each byte once, so that the time is linear. */
export function readBinary(bytes: Uint8Array): ReadBinary {
  try {
    return { ok: true, binary: read(new Reader(bytes)) };
  } catch (error) {
    if (error instanceof Malformed) return { ok: false, cause: error.message };
    throw error;
  }
}

/** https://webassembly.github.io/spec/core/binary/modules.html#sections */
const section = { custom: 0, type: 1, import: 2, function: 3, memory: 5, export: 7, start: 8 };
const externalKind = { function: 0, table: 1, memory: 2, global: 3, tag: 4 };
const valueTypes: ReadonlyMap<number, string> = new Map([
  [0x7f, "i32"],
  [0x7e, "i64"],
  [0x7d, "f32"],
  [0x7c, "f64"],
  [0x7b, "v128"],
  [0x70, "funcref"],
  [0x6f, "externref"],
]);

function read(reader: Reader): WasmBinary {
  if (reader.word() !== 0x6d736100) throw new Malformed('it does not begin with "\\0asm"');
  const version = reader.word();
  if (version !== 1) throw new Malformed(`it is of binary version ${version}, not 1 (a component is not a module)`);
  const types: string[] = [];
  const imports: WasmImport[] = [];
  const functions: string[] = [];
  const memories: MemoryLimits[] = [];
  const exports: WasmExport[] = [];
  const customSections = new Map<string, Uint8Array>();
  let hasStartSection = false;
  while (!reader.atEnd) {
    const id = reader.byte();
    const content = reader.part(reader.number());
    if (id === section.type) content.list(() => types.push(readFunctionType(content)));
    else if (id === section.import) content.list(() => imports.push(readImport(content, types, functions, memories)));
    else if (id === section.function) content.list(() => functions.push(at(types, content.number(), "type")));
    else if (id === section.memory) content.list(() => memories.push(readLimits(content)));
    else if (id === section.export) content.list(() => exports.push(readExport(content, functions)));
    else if (id === section.start) hasStartSection = true;
    else if (id === section.custom) customSections.set(content.name(), content.rest());
  }
  return { imports, exports, memories, hasStartSection, customSections };
}

function readFunctionType(reader: Reader): string {
  const form = reader.byte();
  if (form !== 0x60) throw new Malformed(`it has types of form 0x${form.toString(16)}, which proxy-wasm does not use`);
  const types = (): string[] => {
    const list: string[] = [];
    reader.list(() => list.push(readValueType(reader)));
    return list;
  };
  return signatureOf(types(), types());
}

export function signatureOf(parameters: readonly string[], results: readonly string[]): string {
  return [...parameters, "->", ...results].join(" ");
}

function readValueType(reader: Reader): string {
  const code = reader.byte();
  const type = valueTypes.get(code);
  if (type === undefined)
    throw new Malformed(`it has values of type 0x${code.toString(16)}, which proxy-wasm does not use`);
  return type;
}

function readImport(
  reader: Reader,
  types: readonly string[],
  functions: string[],
  memories: MemoryLimits[],
): WasmImport {
  const module = reader.name();
  const name = reader.name();
  const kind = reader.byte();
  if (kind === externalKind.function) {
    const signature = at(types, reader.number(), "type");
    functions.push(signature);
    return { kind: "function", module, name, signature };
  }
  if (kind === externalKind.memory) {
    memories.push(readLimits(reader));
    return { kind: "memory", module, name };
  }
  if (kind === externalKind.table) {
    readValueType(reader);
    readLimits(reader);
  } else if (kind === externalKind.global) {
    readValueType(reader);
    reader.byte();
  } else if (kind === externalKind.tag) {
    reader.byte();
    reader.number();
  } else throw new Malformed(`it imports something of kind ${kind}`);
  return { kind: "other", module, name };
}

function readExport(reader: Reader, functions: readonly string[]): WasmExport {
  const name = reader.name();
  const kind = reader.byte();
  const index = reader.number();
  if (kind === externalKind.function) return { kind: "function", name, signature: at(functions, index, "function") };
  return { kind: kind === externalKind.memory ? "memory" : "other", name };
}

function readLimits(reader: Reader): MemoryLimits {
  const flags = reader.byte();
  const minimum = reader.number();
  return { minimum, maximum: (flags & 1) === 1 ? reader.number() : undefined };
}

function at(list: readonly string[], index: number, what: string): string {
  const found = list[index];
  if (found === undefined) throw new Malformed(`it refers to ${what} ${index}, which it does not have`);
  return found;
}

class Malformed extends Error {}

class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get atEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw new Malformed("it ends in the middle (was it cut short?)");
    this.#at++;
    return byte;
  }

  /** Four bytes, little endian. */
  word(): number {
    return this.byte() + this.byte() * 0x100 + this.byte() * 0x10000 + this.byte() * 0x1000000;
  }

  /** An unsigned number of up to 32 bits (LEB128). */
  number(): number {
    let value = 0;
    for (let scale = 1; scale <= 2 ** 28; scale *= 2 ** 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw new Malformed("a number in it is too long");
  }

  name(): string {
    return new TextDecoder().decode(this.part(this.number()).#bytes);
  }

  /** The bytes that are not read yet. */
  rest(): Uint8Array {
    return this.#bytes.subarray(this.#at);
  }

  /** A reader of the next `size` bytes, which this reader skips. */
  part(size: number): Reader {
    const end = this.#at + size;
    if (end > this.#bytes.length) throw new Malformed("it ends in the middle (was it cut short?)");
    const part = new Reader(this.#bytes.subarray(this.#at, end));
    this.#at = end;
    return part;
  }

  /** Reads a count, and then this many elements. Every element has at least one byte, so the number of bytes is the limit. */
  list(element: () => void): void {
    for (let left = this.number(); left > 0; left--) element();
  }
}
