/** Bytes to search for. The time of a search is proportional to the searched bytes (Knuth, Morris and Pratt). */
@final
export class Literal {
  size: i32;
  private bytes: ArrayBuffer;
  /** For each prefix of the literal, the length of its longest proper suffix that is also a prefix. */
  private seenAfter: StaticArray<i32>;

  constructor(text: string) {
    const bytes = String.UTF8.encode(text);
    this.bytes = bytes;
    this.size = bytes.byteLength;
    this.seenAfter = new StaticArray<i32>(bytes.byteLength);
    let seen = 0;
    for (let i = 1; i < this.size; i++) {
      seen = this.seenWith(seen, this.byteAt(i));
      this.seenAfter[i] = seen;
    }
  }

  /** True when the value contains the literal at this position. */
  standsAt(value: ArrayBuffer, at: i32): bool {
    if (at < 0 || at + this.size > value.byteLength) return false;
    return memory.compare(changetype<usize>(value) + at, changetype<usize>(this.bytes), this.size) === 0;
  }

  /** The first position of the literal in a value, at or after `from`; -1 when there is none. */
  findIn(value: ArrayBuffer, from: i32): i32 {
    let seen = 0;
    for (let i = from; i < value.byteLength; i++) {
      seen = this.seenWith(seen, load<u8>(changetype<usize>(value) + i));
      if (seen === this.size) return i + 1 - this.size;
    }
    return -1;
  }

  /** The length of the matched prefix after one more byte. */
  private seenWith(before: i32, byte: u8): i32 {
    let seen = before;
    while (seen > 0 && this.byteAt(seen) !== byte) seen = this.seenAfter[seen - 1];
    return this.byteAt(seen) === byte ? seen + 1 : seen;
  }

  private byteAt(at: i32): u8 {
    return load<u8>(changetype<usize>(this.bytes) + at);
  }
}
