import { frameHeadBytes } from "./call.ts";
import { CallFault } from "./status.ts";

const nothing = Buffer.alloc(0);

/** The size of a pooled buffer, in bytes. A first request with Envoy's node fits into one, and is not copied again. */
const pooledBytes = 64 * 1024;
const maxPooled = 16;

/**
 * The buffers for incomplete messages, with a limit on their total size. All calls share it. Buffers of `pooledBytes` are
 * used again: without that, the buffers of thousands of clients that connect at once stay in memory until the next garbage
 * collection.
 */
export class BufferPool {
  #left: number;
  readonly #free: Buffer[] = [];

  constructor(bytes: number) {
    this.#left = bytes;
  }

  /**
   * Returns a buffer of at least `bytes` bytes with the content of `former`, and gives `former` back. Undefined when the limit
   * would be exceeded.
   */
  take(bytes: number, former: Buffer = nothing): Buffer | undefined {
    const capacity = bytes > pooledBytes / 4 ? Math.max(bytes, pooledBytes) : bytes;
    if (capacity - former.length > this.#left) return undefined;
    this.#left -= capacity;
    const buffer = (capacity === pooledBytes ? this.#free.pop() : undefined) ?? Buffer.allocUnsafeSlow(capacity);
    former.copy(buffer);
    this.giveBack(former);
    return buffer;
  }

  giveBack(buffer: Buffer): void {
    this.#left += buffer.length;
    if (buffer.length === pooledBytes && this.#free.length < maxPooled) this.#free.push(buffer);
  }
}

export interface Framed {
  readonly isCompressed: boolean;
  readonly bytes: Buffer;
}

interface DeframerOptions {
  readonly maxMessageBytes: number;
  /** Holds incomplete messages. */
  readonly pool: BufferPool;
}

/**
 * Extracts gRPC messages from a stream's bytes, which arrive in pieces of any size. A message that arrives in one piece is
 * not copied. A message in several pieces is gathered in a buffer that doubles, so that the cost is linear. The buffer never
 * gets much larger than the received bytes, because a client can claim any length.
 */
export class Deframer {
  readonly #options: DeframerOptions;
  #input: Buffer = nothing;
  #at = 0;
  /** The number of bytes read of the next message's head, and the head's content. */
  #headLength = 0;
  #isCompressed = false;
  #length = 0;
  #gathered: Buffer = nothing;
  #gatheredLength = 0;

  constructor(options: DeframerOptions) {
    this.#options = options;
  }

  /** Sets the next bytes. `next` must have returned all messages of the bytes before. */
  feed(bytes: Buffer): void {
    this.#input = bytes;
    this.#at = 0;
  }

  /**
   * The next message, or undefined when more bytes are needed. Its bytes are valid until `release`, which must be called
   * before the next message. Throws a `CallFault` when the message is too large or its head is malformed.
   */
  next(): Framed | undefined {
    const message = this.#read();
    // Drop the input when it is read: even an empty rest would keep the whole buffer in memory.
    if (this.#at === this.#input.length) this.feed(nothing);
    return message;
  }

  /** Whether bytes of the last `feed` are still unread. */
  get hasInput(): boolean {
    return this.#at < this.#input.length;
  }

  /** Whether all bytes so far belong to complete messages. */
  get isBetweenMessages(): boolean {
    return this.#headLength === 0 && this.#at === this.#input.length;
  }

  /** Frees the last message's buffer. */
  release(): void {
    if (this.#gathered === nothing) return;
    this.#options.pool.giveBack(this.#gathered);
    this.#gathered = nothing;
    this.#gatheredLength = 0;
  }

  /** Frees all buffers and forgets an incomplete message. */
  clear(): void {
    this.release();
    this.#headLength = 0;
    this.feed(nothing);
  }

  #read(): Framed | undefined {
    if (this.#headLength < frameHeadBytes && !this.#readHead()) return undefined;
    const bytes = this.#whole(this.#length) ?? this.#gather(this.#length);
    if (bytes === undefined) return undefined;
    this.#headLength = 0;
    return { isCompressed: this.#isCompressed, bytes };
  }

  #readHead(): boolean {
    // Byte by byte, because a piece may end anywhere in the head. For five bytes that is also faster than a copy.
    for (; this.#headLength < frameHeadBytes; this.#headLength += 1) {
      const byte = this.#input[this.#at];
      if (byte === undefined) return false;
      this.#at += 1;
      if (this.#headLength > 0) this.#length = this.#length * 256 + byte;
      else this.#begin(byte);
    }
    const length = this.#length;
    const { maxMessageBytes } = this.#options;
    if (length > maxMessageBytes) {
      throw new CallFault("RESOURCE_EXHAUSTED", `A message has ${length} bytes; the maximum is ${maxMessageBytes}`);
    }
    return true;
  }

  #begin(flag: number): void {
    if (flag > 1) throw new CallFault("INTERNAL", `A message begins with the flag ${flag}, which gRPC does not define`);
    this.#isCompressed = flag === 1;
    this.#length = 0;
  }

  #whole(length: number): Buffer | undefined {
    if (this.#gatheredLength > 0 || this.#input.length - this.#at < length) return undefined;
    this.#at += length;
    return this.#input.subarray(this.#at - length, this.#at);
  }

  #gather(length: number): Buffer | undefined {
    const end = Math.min(this.#input.length, this.#at + length - this.#gatheredLength);
    this.#makeRoom(this.#gatheredLength + end - this.#at, length);
    this.#gatheredLength += this.#input.copy(this.#gathered, this.#gatheredLength, this.#at, end);
    this.#at = end;
    if (this.#gatheredLength < length) return undefined;
    return this.#gathered.subarray(0, length);
  }

  #makeRoom(needed: number, length: number): void {
    const before = this.#gathered;
    if (needed <= before.length) return;
    const buffer = this.#options.pool.take(Math.min(length, Math.max(needed, 2 * before.length, pooledBytes)), before);
    if (buffer === undefined) {
      throw new CallFault("RESOURCE_EXHAUSTED", "The server has no memory left for another incomplete message");
    }
    this.#gathered = buffer;
  }
}
