// SHA-256 by FIPS 180-4. It allocates nothing: its working memory is static.
// Its constants are inside functions, so that a filter without SHA-256 does not contain them.

const BLOCK: usize = 64;
/** The offsets of the parts of `work`. */
const SCHEDULE: usize = 32;
const TAIL: usize = SCHEDULE + 256;

/** Returns the SHA-256 of bytes, which has 32 bytes. */
export function sha256(bytes: ArrayBuffer): ArrayBuffer {
  const digest = new ArrayBuffer(32);
  sha256At(changetype<usize>(bytes), bytes.byteLength, changetype<usize>(digest));
  return digest;
}

/** Writes the SHA-256 of bytes in memory to `digest`, which must have room for 32 bytes. */
export function sha256At(bytes: usize, size: usize, digest: usize): void {
  const state = work();
  const tail = state + TAIL;
  memory.copy(state, initial(), 32);
  const whole = size & ~(BLOCK - 1);
  for (let at: usize = 0; at < whole; at += BLOCK) addBlock(bytes + at);
  const rest = size - whole;
  memory.copy(tail, bytes + whole, rest);
  store<u8>(tail + rest, 0x80);
  // The last eight bytes are the length in bits.
  const padded = rest < BLOCK - 8 ? BLOCK : 2 * BLOCK;
  memory.fill(tail + rest + 1, 0, padded - rest - 9);
  store<u64>(tail + padded - 8, bswap<u64>((<u64>size) << 3));
  addBlock(tail);
  if (padded > BLOCK) addBlock(tail + BLOCK);
  for (let at: usize = 0; at < 32; at += 4) store<u32>(digest + at, bswap<u32>(load<u32>(state + at)));
}

function addBlock(block: usize): void {
  const state = work();
  const schedule = state + SCHEDULE;
  for (let at: usize = 0; at < 64; at += 4) store<u32>(schedule + at, bswap<u32>(load<u32>(block + at)));
  for (let at = schedule + 64; at < schedule + 256; at += 4) {
    const w15 = load<u32>(at - 60);
    const w2 = load<u32>(at - 8);
    const s0 = rotr<u32>(w15, 7) ^ rotr<u32>(w15, 18) ^ (w15 >> 3);
    const s1 = rotr<u32>(w2, 17) ^ rotr<u32>(w2, 19) ^ (w2 >> 10);
    store<u32>(at, load<u32>(at - 64) + s0 + load<u32>(at - 28) + s1);
  }
  let a = load<u32>(state);
  let b = load<u32>(state, 4);
  let c = load<u32>(state, 8);
  let d = load<u32>(state, 12);
  let e = load<u32>(state, 16);
  let f = load<u32>(state, 20);
  let g = load<u32>(state, 24);
  let h = load<u32>(state, 28);
  const table = rounds();
  for (let at: usize = 0; at < 256; at += 4) {
    const sum1 = rotr<u32>(e, 6) ^ rotr<u32>(e, 11) ^ rotr<u32>(e, 25);
    const choice = (e & f) ^ (~e & g);
    const first = h + sum1 + choice + load<u32>(table + at) + load<u32>(schedule + at);
    const sum0 = rotr<u32>(a, 2) ^ rotr<u32>(a, 13) ^ rotr<u32>(a, 22);
    const majority = (a & b) ^ (a & c) ^ (b & c);
    h = g;
    g = f;
    f = e;
    e = d + first;
    d = c;
    c = b;
    b = a;
    a = first + sum0 + majority;
  }
  store<u32>(state, load<u32>(state) + a);
  store<u32>(state, load<u32>(state, 4) + b, 4);
  store<u32>(state, load<u32>(state, 8) + c, 8);
  store<u32>(state, load<u32>(state, 12) + d, 12);
  store<u32>(state, load<u32>(state, 16) + e, 16);
  store<u32>(state, load<u32>(state, 20) + f, 20);
  store<u32>(state, load<u32>(state, 24) + g, 24);
  store<u32>(state, load<u32>(state, 28) + h, 28);
}

/**
 * The working memory: the eight words of the state, the 64 words of a block's schedule, and the padded end (up to two
 * blocks).
 */
function work(): usize {
  return memory.data(<i32>(TAIL + 2 * BLOCK), 8);
}

function initial(): usize {
  return memory.data<u32>([
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
  ]);
}

/** The first 32 bits of the fractions of the cube roots of the first 64 primes. */
function rounds(): usize {
  return memory.data<u32>([
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98,
    0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
    0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8,
    0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
    0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819,
    0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
    0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
    0xc67178f2,
  ]);
}
