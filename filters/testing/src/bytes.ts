/** Bytes as a string of characters up to U+00FF, one a byte: what headers are kept and compared as. */
export type ByteString = string;

/** What a test may give for bytes: text stands for its UTF-8. */
export type Bytes = string | Uint8Array;

export function bytesOf(value: Bytes): Buffer {
  if (typeof value === "string") return Buffer.from(value, "utf8");
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}

export function byteString(value: Bytes): ByteString {
  return bytesOf(value).toString("latin1");
}

/** The text whose UTF-8 the bytes are. */
export function textOf(value: ByteString): string {
  return Buffer.from(value, "latin1").toString("utf8");
}

/** A body that is on its way: filters take from it and add to it in place. */
export class ByteBuffer {
  #bytes: Buffer;

  constructor(bytes: Uint8Array = Buffer.alloc(0)) {
    this.#bytes = bytesOf(bytes);
  }

  get length(): number {
    return this.#bytes.length;
  }

  get bytes(): Buffer {
    return this.#bytes;
  }

  add(bytes: Uint8Array): void {
    this.#bytes = this.length === 0 ? Buffer.from(bytes) : Buffer.concat([this.#bytes, bytes]);
  }

  prepend(bytes: Uint8Array): void {
    this.#bytes = Buffer.concat([bytes, this.#bytes]);
  }

  drain(length: number): void {
    this.#bytes = this.#bytes.subarray(Math.min(length, this.length));
  }

  /** Takes all that the other has. */
  move(other: ByteBuffer): void {
    this.add(other.bytes);
    other.drain(other.length);
  }
}
