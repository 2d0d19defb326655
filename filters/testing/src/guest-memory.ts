import { type WasmExports, type WasmMemory, WebAssembly } from "./web-assembly.ts";

/** The module passed an address outside of its memory. The host call returns InvalidMemoryAccess. */
export class OutOfBounds extends Error {}

/** The memory of a module. Each access makes a new view, because the memory may have grown since the last one. */
export class GuestMemory {
  readonly #allocate: (size: number) => number;
  #memory: WasmMemory = new WebAssembly.Memory({ initial: 0 });

  /** `allocate` calls the module's allocator with a size. It returns the address, or 0 on failure. */
  constructor(allocate: (size: number) => number) {
    this.#allocate = allocate;
  }

  /** Sets the memory. Host calls are created before the module is, so until then there is none. */
  attach(exports: WasmExports): void {
    const memory = exports["memory"];
    if (memory instanceof WebAssembly.Memory) this.#memory = memory;
  }

  get byteLength(): number {
    return this.#memory.buffer.byteLength;
  }

  /** Returns a copy. */
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

  /** Copies bytes into memory that the module allocates and frees. */
  copyIn(bytes: Uint8Array): number {
    const at = this.#allocate(bytes.length) >>> 0;
    if (at === 0) throw new OutOfBounds("the module allocates nothing");
    this.write(at, bytes);
    return at;
  }

  /** Copies bytes into the module, and writes their address and size. Empty bytes are not allocated. */
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
