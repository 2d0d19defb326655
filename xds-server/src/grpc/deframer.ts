import { frameHeadBytes } from "./call.ts";
import { CallFault } from "./status.ts";

const nothing = Buffer.alloc(0);

/** Up to here a length is believed, in bytes: the node of an Envoy fits in, and is not copied again. */
const pooledBytes = 64 * 1024;
const maxPooled = 16;

/**
 * Where messages are gathered that come in pieces: a number of bytes that many calls share. The usual sizes are used again
 * and again, because what thousands of clients send at once would otherwise lie about until the next collection.
 */
export class BufferPool {
  #left: number;
  readonly #free: Buffer[] = [];

  constructor(bytes: number) {
    this.#left = bytes;
  }

  /** A buffer of these many bytes or more, with what the former holds, which is given back; undefined when fewer are left. */
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
  /** Where the room comes from for messages of which a part has arrived. */
  readonly pool: BufferPool;
}

/**
 * Takes gRPC messages out of a stream's bytes, wherever those are cut. A message that arrives whole is not copied; one
 * that arrives in pieces is gathered in a buffer that doubles, so that its cost is linear, and that does not run far ahead
 * of the bytes that came, because a length is no more than a claim.
 */
export class Deframer {
  readonly #options: DeframerOptions;
  #input: Buffer = nothing;
  #at = 0;
  /** How much of the head of the next message was read, and what it said. */
  #headLength = 0;
  #isCompressed = false;
  #length = 0;
  #gathered: Buffer = nothing;
  #gatheredLength = 0;

  constructor(options: DeframerOptions) {
    this.#options = options;
  }

  /** The next bytes. `next` must have taken all messages out of those before. */
  feed(bytes: Buffer): void {
    this.#input = bytes;
    this.#at = 0;
  }

  /**
   * The next message, or undefined until more bytes come. Its bytes are good until `release`, which the next one needs.
   * Throws a `CallFault` on one that is too large, or is no message.
   */
  next(): Framed | undefined {
    const message = this.#read();
    // A few bytes that are held would keep the whole buffer that they came in.
    if (this.#at === this.#input.length) this.feed(nothing);
    return message;
  }

  /** True when bytes are left of those that were fed. */
  get hasInput(): boolean {
    return this.#at < this.#input.length;
  }

  /** True when all bytes so far were those of whole messages. */
  get isBetweenMessages(): boolean {
    return this.#headLength === 0 && this.#at === this.#input.length;
  }

  /** The message before is dealt with: its room is free again. */
  release(): void {
    if (this.#gathered === nothing) return;
    this.#options.pool.giveBack(this.#gathered);
    this.#gathered = nothing;
    this.#gatheredLength = 0;
  }

  /** Lets go of everything. */
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
    // Byte by byte, because it may be cut anywhere; for five bytes that is quicker than to copy them, too.
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
      throw new CallFault("RESOURCE_EXHAUSTED", `A message has ${length} bytes, and ${maxMessageBytes} are the most`);
    }
    return true;
  }

  #begin(flag: number): void {
    if (flag > 1) throw new CallFault("INTERNAL", "A message begins with a flag that gRPC does not know");
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
      throw new CallFault("RESOURCE_EXHAUSTED", "The server has no room for another message that comes in pieces");
    }
    this.#gathered = buffer;
  }
}
