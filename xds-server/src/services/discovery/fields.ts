import { isUtf8 } from "node:buffer";

/** The wire types of protobuf: https://protobuf.dev/programming-guides/encoding/#structure */
const varint = 0;
const fixed64 = 1;
const lengthDelimited = 2;
const startGroup = 3;
const endGroup = 4;
const fixed32 = 5;

const maxGroupDepth = 100;

/** Walks over the fields of an encoded message without decoding their values. Throws on bytes that are not protobuf. */
export class FieldReader {
  readonly #bytes: Buffer;
  #at = 0;
  /** The field's number. */
  number = 0;
  /** True for a length-delimited value: a text, bytes or a message. Other values are not needed here. */
  isLengthDelimited = false;
  /** The offset of the field's tag. */
  tagStart = 0;
  /** The offset of the value, after its length. */
  start = 0;
  /** The offset after the value, where the next field begins. */
  end = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Advances to the next field. Returns false at the end of the message. */
  next(): boolean {
    if (this.#at === this.#bytes.length) return false;
    this.tagStart = this.#at;
    const wireType = this.#tag();
    this.isLengthDelimited = wireType === lengthDelimited;
    if (wireType === startGroup) this.#skipGroup(this.number);
    else this.#value(wireType);
    this.end = this.#at;
    return true;
  }

  /** Continues after `end`, which must be the end of a field. */
  skipTo(end: number): void {
    this.#at = end;
    this.end = end;
  }

  /** Reads a tag: its field number goes into `number`, its wire type is returned. */
  #tag(): number {
    const tag = this.#uint32();
    this.number = tag >>> 3;
    if (this.number === 0) throw new Error("A field has the number 0");
    return tag & 7;
  }

  #value(wireType: number): void {
    if (wireType === lengthDelimited) {
      const length = this.#uint32();
      this.start = this.#at;
      this.#skip(length);
    } else if (wireType === varint) this.#skipVarint();
    else if (wireType === fixed64) this.#skip(8);
    else if (wireType === fixed32) this.#skip(4);
    else throw new Error("A field has a wire type that there is not");
  }

  #skipGroup(number: number): void {
    const open = [number];
    while (open.length > 0) {
      const wireType = this.#tag();
      if (wireType === startGroup) open.push(this.number);
      else if (wireType !== endGroup) this.#value(wireType);
      else if (open.pop() !== this.number) throw new Error("A group ends that was not begun");
      if (open.length > maxGroupDepth) throw new Error("Groups are nested too deep");
    }
    this.number = number;
  }

  #skip(length: number): void {
    this.#at += length;
    if (this.#at > this.#bytes.length) throw new Error("A field is longer than its message");
  }

  #skipVarint(): void {
    for (let count = 0; count < 10; count += 1) if (this.#byte() < 0x80) return;
    throw new Error("A number is too long");
  }

  /** A varint that fits into 32 bits. It may be padded with needless bytes. */
  #uint32(): number {
    const first = this.#byte();
    if (first < 0x80) return first;
    let value = first & 0x7f;
    for (let shift = 7; shift < 70; shift += 7) {
      const byte = this.#byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte >= 0x80) continue;
      if (value > 0xffffffff) break;
      return value;
    }
    throw new Error("A length or a tag is too large");
  }

  #byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw new Error("The message ends within a field");
    this.#at += 1;
    return byte;
  }
}

/** The value of a text field, which is all or a part of these bytes. Throws when it is not UTF-8, as protobuf demands. */
export function textOf(bytes: Buffer, start = 0, end = bytes.length): string {
  const text = bytes.toString("utf8", start, end);
  // Node puts U+FFFD in place of bytes that are not UTF-8. The client may also have sent U+FFFD itself.
  if (text.includes("\ufffd") && !isUtf8(bytes.subarray(start, end))) throw new Error("A text is not UTF-8");
  return text;
}
