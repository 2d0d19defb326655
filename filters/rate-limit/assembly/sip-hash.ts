/**
 * SipHash-2-4 (https://www.aumasson.jp/siphash/siphash.pdf). Without the key, a client cannot find two texts with the
 * same hash. So it cannot choose a key that empties the bucket of another client.
 */
export function sipHash(key0: u64, key1: u64, bytes: ArrayBuffer): u64 {
  v0 = key0 ^ 0x736f6d6570736575;
  v1 = key1 ^ 0x646f72616e646f6d;
  v2 = key0 ^ 0x6c7967656e657261;
  v3 = key1 ^ 0x7465646279746573;
  const from = changetype<usize>(bytes);
  const size = <usize>bytes.byteLength;
  const words = size & ~7;
  for (let at: usize = 0; at < words; at += 8) compress(load<u64>(from + at));
  let last = (<u64>size) << 56;
  for (let at = words; at < size; at++) last |= (<u64>load<u8>(from + at)) << ((at & 7) << 3);
  compress(last);
  v2 ^= 0xff;
  for (let i = 0; i < 4; i++) round();
  return v0 ^ v1 ^ v2 ^ v3;
}

let v0: u64 = 0;
let v1: u64 = 0;
let v2: u64 = 0;
let v3: u64 = 0;

function compress(word: u64): void {
  v3 ^= word;
  round();
  round();
  v0 ^= word;
}

function round(): void {
  v0 += v1;
  v1 = rotl<u64>(v1, 13) ^ v0;
  v0 = rotl<u64>(v0, 32);
  v2 += v3;
  v3 = rotl<u64>(v3, 16) ^ v2;
  v0 += v3;
  v3 = rotl<u64>(v3, 21) ^ v0;
  v2 += v1;
  v1 = rotl<u64>(v1, 17) ^ v2;
  v2 = rotl<u64>(v2, 32);
}
