/** One section of a module: its id, the positions where it and its contents start, and the position where it ends. */
export interface Section {
  readonly id: number;
  readonly start: number;
  readonly contents: number;
  readonly end: number;
}

/** The ids of the sections that these tools read (WebAssembly core specification, 5.5). */
export const sectionId = {
  custom: 0,
  type: 1,
  import: 2,
  function: 3,
  global: 6,
  export: 7,
  element: 9,
  code: 10,
} as const;

/** Reads the binary format. Throws a `RangeError` at the end of the bytes. */
export class Reader {
  readonly bytes: Uint8Array;
  at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  byte(): number {
    const byte = this.bytes[this.at++];
    if (byte === undefined) throw new RangeError(`the module is cut off at ${this.bytes.length}`);
    return byte;
  }

  /** An unsigned LEB128 of up to 32 bits. */
  u32(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new RangeError(`a number at ${this.at} is too long`);
  }

  /** Skips a LEB128 of any size and sign. */
  skipNumber(): void {
    while (this.byte() >= 0x80);
  }

  name(): string {
    const length = this.u32();
    this.at += length;
    return new TextDecoder().decode(this.bytes.subarray(this.at - length, this.at));
  }
}

/** The sections of a module in their order. Throws when the bytes are not a module. */
export function sectionsOf(wasm: Uint8Array): Section[] {
  const header = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
  if (header.some((byte, at) => wasm[at] !== byte)) throw new RangeError("not a WebAssembly module of version 1");
  const reader = new Reader(wasm, header.length);
  const sections: Section[] = [];
  while (reader.at < wasm.length) {
    const start = reader.at;
    const id = reader.byte();
    const size = reader.u32();
    const contents = reader.at;
    reader.at += size;
    if (reader.at > wasm.length) throw new RangeError(`section ${id} ends beyond the module`);
    sections.push({ id, start, contents, end: reader.at });
  }
  return sections;
}

/** An unsigned LEB128. */
export function u32(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value >>> 0; ; rest >>>= 7) {
    if (rest < 0x80) return [...bytes, rest];
    bytes.push((rest & 0x7f) | 0x80);
  }
}

/** A signed LEB128 of up to 32 bits. */
export function s32(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value | 0; ; rest >>= 7) {
    const byte = rest & 0x7f;
    const sign = byte & 0x40;
    if ((rest >> 7 === 0 && sign === 0) || (rest >> 7 === -1 && sign !== 0)) return [...bytes, byte];
    bytes.push(byte | 0x80);
  }
}

/** Encodes a name: its length, then its bytes. */
export function name(text: string): number[] {
  const bytes = new TextEncoder().encode(text);
  return [...u32(bytes.length), ...bytes];
}

/** Encodes a section: its id and size, then its contents. */
export function section(id: number, contents: readonly Uint8Array[] | readonly number[]): Uint8Array {
  const parts = contents.map((part) => (typeof part === "number" ? [part] : part));
  const size = parts.reduce((sum, part) => sum + part.length, 0);
  return join([new Uint8Array([id, ...u32(size)]), ...parts.map((part) => Uint8Array.from(part))]);
}

export function join(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
