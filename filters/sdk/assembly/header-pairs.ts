import { allocate } from "./memory";

/** One header, as bytes. */
export class HeaderPair {
  key: ArrayBuffer;
  value: ArrayBuffer;

  constructor(key: ArrayBuffer, value: ArrayBuffer) {
    this.key = key;
    this.value = value;
  }

  static of(key: string, value: string): HeaderPair {
    return new HeaderPair(String.UTF8.encode(key), String.UTF8.encode(value));
  }

  toString(): string {
    return `${String.UTF8.decode(this.key)}:${String.UTF8.decode(this.value)}`;
  }
}

/** Calls `HeaderPair.of`. */
export function makeHeaderPair(key: string, value: string): HeaderPair {
  return HeaderPair.of(key, value);
}

export type Headers = Array<HeaderPair>;

/** The size of the last result of `encodePairs`. */
export let encodedPairsSize: usize = 0;

/** Encodes headers as the ABI demands: the count, the sizes, then each name and value, ended by a zero byte. */
export function encodePairs(headers: Headers): usize {
  const count = headers.length;
  let size: usize = 4 + ((<usize>count) << 3);
  for (let i = 0; i < count; i++) {
    const pair = unchecked(headers[i]);
    size += pair.key.byteLength + pair.value.byteLength + 2;
  }
  const block = allocate(size);
  store<u32>(block, count);
  let sizes = block + 4;
  let text = sizes + ((<usize>count) << 3);
  for (let i = 0; i < count; i++, sizes += 8) {
    const pair = unchecked(headers[i]);
    store<u32>(sizes, pair.key.byteLength);
    store<u32>(sizes, pair.value.byteLength, 4);
    text = appendWithZero(text, pair.key);
    text = appendWithZero(text, pair.value);
  }
  encodedPairsSize = size;
  return block;
}

function appendWithZero(to: usize, bytes: ArrayBuffer): usize {
  const size = bytes.byteLength;
  memory.copy(to, changetype<usize>(bytes), size);
  store<u8>(to + size, 0);
  return to + size + 1;
}
