import { type WasmExports, WebAssembly } from "./web-assembly.ts";

type Allocate = (size: number) => number;

/** The memory of a module on trial. Throws a RangeError where the module gives a place that it does not have. */
export class TrialMemory {
  #exports: WasmExports = {};

  attach(exports: WasmExports): void {
    this.#exports = exports;
  }

  /** A new view each time: the memory may have grown. */
  get #view(): DataView {
    const memory = this.#exports["memory"];
    if (!(memory instanceof WebAssembly.Memory)) throw new RangeError("the module exports no memory");
    return new DataView(memory.buffer);
  }

  bytes(at: number, size: number): Uint8Array {
    return new Uint8Array(this.#view.buffer, at >>> 0, size >>> 0);
  }

  text(at: number, size: number): string {
    return new TextDecoder().decode(this.bytes(at, size));
  }

  word(at: number): number {
    return this.#view.getUint32(at >>> 0, true);
  }

  setWord(at: number, value: number): void {
    this.#view.setUint32(at >>> 0, value, true);
  }

  setLong(at: number, value: bigint): void {
    this.#view.setBigUint64(at >>> 0, value, true);
  }

  /** Hands bytes over in memory that the module allocates, and writes where they are and how many. */
  hand(bytes: Uint8Array, outBytes: number, outSize: number): void {
    const at = bytes.length === 0 ? 0 : this.#allocate(bytes.length);
    if (bytes.length > 0) this.bytes(at, bytes.length).set(bytes);
    this.setWord(outBytes, at);
    this.setWord(outSize, bytes.length);
  }

  #allocate(size: number): number {
    const allocate = this.#exports["proxy_on_memory_allocate"] ?? this.#exports["malloc"];
    const at = typeof allocate === "function" ? (allocate as Allocate)(size) >>> 0 : 0;
    if (at === 0) throw new RangeError("the module allocates nothing");
    return at;
  }
}
