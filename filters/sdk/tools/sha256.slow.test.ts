import assert from "node:assert/strict";
import { createHash, randomBytes, randomInt } from "node:crypto";
import { before, test } from "node:test";
import { compile } from "./compile.ts";

// The library's SHA-256, compiled as a separate module.

const SIZE = 1_000_000;
const source = `
  import { sha256, sha256At } from "@chancery/filter-sdk/sha256";
  export const input: usize = heap.alloc(${SIZE + 8});
  export const output: usize = heap.alloc(32);
  export function at(bytes: usize, size: usize): void { sha256At(bytes, size, output); }
  export function ofBuffer(bytes: usize, size: usize): void {
    const buffer = new ArrayBuffer(<i32>size);
    memory.copy(changetype<usize>(buffer), bytes, size);
    memory.copy(output, changetype<usize>(sha256(buffer)), 32);
  }`;

interface Sha256 {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly input: { readonly value: number };
  readonly output: { readonly value: number };
  at(bytes: number, size: number): void;
  ofBuffer(bytes: number, size: number): void;
  _initialize(): void;
}

interface Engine {
  instantiate(wasm: Uint8Array, imports: object): Promise<{ readonly instance: { readonly exports: unknown } }>;
}

const { WebAssembly } = globalThis as unknown as { readonly WebAssembly: Engine };
let module: Sha256;

before(async () => {
  const compiled = await compile({ directory: import.meta.dirname, source, maximumMemoryPages: 64 });
  assert.ok(compiled.ok, compiled.ok ? "" : compiled.errors.join("\n"));
  const { instance } = await WebAssembly.instantiate(compiled.wasm, { env: { proxy_log: () => 0 } });
  module = instance.exports as Sha256;
  module._initialize();
});

/** Hashes bytes. `offset` moves the input, because an address may have any alignment. */
function hashed(bytes: Uint8Array, offset = 0): string {
  const { memory, input, output } = module;
  new Uint8Array(memory.buffer).set(bytes, input.value + offset);
  module.at(input.value + offset, bytes.length);
  return Buffer.from(memory.buffer, output.value, 32).toString("hex");
}

// The first three are from NIST's CAVP (SHA256ShortMsg), the others are NIST's examples for FIPS 180-4.
const vectors: readonly [what: string, message: Buffer, digest: string][] = [
  ["nothing", Buffer.alloc(0), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
  ["d3", Buffer.from("d3", "hex"), "28969cdfa74a12c82f3bad960b0b000aca2ac329deea5c2328ebc6f2ba9802c1"],
  ["c98c8e55", Buffer.from("c98c8e55", "hex"), "7abc22c0ae5af26ce93dbb94433a0e0b2e119d014f8e7f65bd56c61ccccd9504"],
  ["abc", Buffer.from("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
  [
    "448 bits, whose padding needs another block",
    Buffer.from("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
  ],
  ["a million times a", Buffer.alloc(SIZE, "a"), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"],
];

for (const [what, message, digest] of vectors) {
  test(`the SHA-256 of ${what} is equal to NIST's`, () => assert.equal(hashed(message), digest));
}

test("hashes every length up to three blocks as Node does", () => {
  for (let size = 0; size <= 192; size++) same(randomBytes(size), 0);
});

test("hashes random lengths at random addresses as Node does", () => {
  for (let round = 0; round < 500; round++) same(randomBytes(randomInt(5000)), randomInt(8));
});

test("hashes a buffer into a new buffer", () => {
  const { memory, input, output } = module;
  const bytes = randomBytes(100);
  new Uint8Array(memory.buffer).set(bytes, input.value);
  module.ofBuffer(input.value, bytes.length);
  assert.equal(Buffer.from(memory.buffer, output.value, 32).toString("hex"), byNode(bytes));
});

test("hashing allocates no memory", () => {
  const before = module.memory.buffer.byteLength;
  for (let round = 0; round < 100_000; round++) module.at(module.input.value, 43);
  assert.equal(module.memory.buffer.byteLength, before);
});

function same(bytes: Uint8Array, offset: number): void {
  assert.equal(hashed(bytes, offset), byNode(bytes), `${bytes.length} bytes: ${Buffer.from(bytes).toString("hex")}`);
}

function byNode(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
