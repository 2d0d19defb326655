import type { ByteString } from "./bytes.ts";

export type Pair = readonly [name: ByteString, value: ByteString];

/** Envoy's limits. */
const mostBytes = 1 << 20;
const mostPairs = 1024;

/** The encoding is a count, the lengths of all names and values, then the names and values, each followed by a NUL. */
export function encodePairs(pairs: readonly Pair[]): Buffer {
  const size = pairs.reduce((sum, [name, value]) => sum + 10 + name.length + value.length, 4);
  const bytes = Buffer.alloc(size);
  bytes.writeUInt32LE(pairs.length, 0);
  let lengths = 4;
  let at = 4 + pairs.length * 8;
  for (const pair of pairs) {
    for (const text of pair) {
      lengths = bytes.writeUInt32LE(text.length, lengths);
      at += bytes.write(text, at, "latin1") + 1;
    }
  }
  return bytes;
}

/** Returns an empty list when the bytes are not exactly such pairs. Envoy does the same and logs nothing. */
export function decodePairs(bytes: Buffer): Pair[] {
  if (bytes.length > mostBytes || bytes.length < 4) return [];
  const count = bytes.readUInt32LE(0);
  let at = 4 + count * 8;
  if (count > mostPairs || at > bytes.length) return [];
  const pairs: Pair[] = [];
  let wellFormed = true;
  const next = (length: number): ByteString => {
    const end = at + length;
    wellFormed &&= end < bytes.length && bytes[end] === 0;
    const text = wellFormed ? bytes.toString("latin1", at, end) : "";
    at = end + 1;
    return text;
  };
  for (let pair = 0; pair < count && wellFormed; pair++) {
    const name = next(bytes.readUInt32LE(4 + pair * 8));
    pairs.push([name, next(bytes.readUInt32LE(8 + pair * 8))]);
  }
  return wellFormed && at === bytes.length ? pairs : [];
}
