import { type WasmExports, type WasmMemory, WebAssembly } from "./web-assembly.ts";

/** Tells that the module named a place that it does not have: the host call answers InvalidMemoryAccess. */
export class OutOfBounds extends Error {}

/** The memory of a module. A new view for every access: the memory may have grown in between. */
export class GuestMemory {
  readonly #allocate: (size: number) => number;
  #memory: WasmMemory = new WebAssembly.Memory({ initial: 0 });

  /** Memory that the module allocates is asked for by its size; the answer is the place, 0 when there is none. */
  constructor(allocate: (size: number) => number) {
    this.#allocate = allocate;
  }

  /** Until then there is no memory: host calls are made before the module is. */
  attach(exports: WasmExports): void {
    const memory = exports["memory"];
    if (memory instanceof WebAssembly.Memory) this.#memory = memory;
  }

  get byteLength(): number {
    return this.#memory.buffer.byteLength;
  }

  /** A copy. */
  read(at: number, size: number): Buffer {
    return Buffer.from(this.#view(at, size));
  }

  text(at: number, size: number): string {
    return this.#view(at, size).toString("latin1");
  }

  write(at: number, bytes: Uint8Array): void {
    this.#view(at, bytes.length).set(bytes);
  }

  word(at: number): number {
    return this.#view(at, 4).readUInt32LE();
  }

  setWord(at: number, value: number): void {
    this.#view(at, 4).writeUInt32LE(value >>> 0);
  }

  setLong(at: number, value: bigint): void {
    this.#view(at, 8).writeBigUInt64LE(BigInt.asUintN(64, value));
  }

  /** Copies bytes into memory that the module allocates, and which is the module's from then on. */
  copyIn(bytes: Uint8Array): number {
    const at = this.#allocate(bytes.length) >>> 0;
    if (at === 0) throw new OutOfBounds("the module allocates nothing");
    this.write(at, bytes);
    return at;
  }

  /** Hands bytes over, and writes where they are and how many. No bytes need no memory. */
  hand(bytes: Uint8Array, outBytes: number, outSize: number): void {
    const at = bytes.length === 0 ? 0 : this.copyIn(bytes);
    this.setWord(outBytes, at);
    this.setWord(outSize, bytes.length);
  }

  #view(at: number, size: number): Buffer {
    const start = at >>> 0;
    const length = size >>> 0;
    const { buffer } = this.#memory;
    if (start + length > buffer.byteLength) {
      throw new OutOfBounds(`${length} bytes at ${start} of ${buffer.byteLength}`);
    }
    return Buffer.from(buffer, start, length);
  }
}
