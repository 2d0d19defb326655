/** Bytes as a string: one character up to U+00FF for each byte. Headers are stored and compared in this form. */
export type ByteString = string;

/** Bytes as a test writes them. A string stands for its UTF-8 bytes. */
export type Bytes = string | Uint8Array;

export function bytesOf(value: Bytes): Buffer {
  if (typeof value === "string") return Buffer.from(value, "utf8");
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}

export function byteString(value: Bytes): ByteString {
  return bytesOf(value).toString("latin1");
}

/** Decodes the bytes as UTF-8. */
export function textOf(value: ByteString): string {
  return Buffer.from(value, "latin1").toString("utf8");
}

/** A body in transit. Filters remove bytes from it and add bytes to it in place. */
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

  /** Moves all bytes of the other buffer to the end of this one. */
  move(other: ByteBuffer): void {
    this.add(other.bytes);
    other.drain(other.length);
  }
}
