import assert from "node:assert/strict";
import { before, test } from "node:test";
import { compile } from "./compile.ts";
import { withFuel } from "./fuel.ts";
import { locate } from "./locate.ts";

const source = `
let seen: u32 = 0;
export function proxy_on_tick(what: u32): u32 {
  if (what === 0) for (let i: u32 = 0; ; i++) seen += i * i;
  if (what === 1) return again(what);
  if (what === 2) while (true) memory.fill(1024, 1, 8000);
  if (what === 3) while (true) proxy_on_memory_allocate(8);
  for (let i: u32 = 0; i < what; i++) seen = (seen * 31 + i) ^ (seen >> 3);
  return seen;
}
function again(n: u32): u32 {
  return n === 0 ? seen++ : again(n + 1) * 3 + n;
}
export function proxy_on_configure(what: u32, size: u32): u32 {
  return proxy_on_tick(what);
}
export function proxy_on_memory_allocate(size: usize): usize {
  seen++;
  return 0;
}
`;

type Callback = (...values: number[]) => number;
interface Engine {
  instantiate(
    wasm: Uint8Array,
    imports: object,
  ): Promise<{ readonly instance: { readonly exports: Record<string, Callback> } }>;
}
const { WebAssembly } = globalThis as unknown as { readonly WebAssembly: Engine };

let plain: { readonly wasm: Uint8Array; readonly map: string };

before(async () => {
  const compiled = await compile({ directory: "/", source, maximumMemoryPages: 256 });
  assert.ok(compiled.ok, compiled.ok ? "" : compiled.errors.join());
  plain = compiled;
});

test("code that ends within its budget returns the same as without fuel", async () => {
  const [before, after] = await Promise.all([started(plain.wasm), started(withFuel(plain.wasm).wasm)]);
  for (const turns of [4, 5, 1000, 1_000_000]) {
    assert.equal(after["proxy_on_tick"]?.(turns), before["proxy_on_tick"]?.(turns));
  }
});

for (const [what, line, name] of [
  [0, 4, "an endless loop"],
  [1, 12, "endless recursion"],
  [2, 6, "a loop that fills memory"],
  [3, 7, "a loop that allocates"],
] as const) {
  test(`${name} traps soon, and locate finds its place`, async () => {
    const fuelled = withFuel(plain.wasm, { map: plain.map, budget: 50_000 });
    const { proxy_on_tick } = await started(fuelled.wasm);
    const trap = trapOf(() => proxy_on_tick?.(what));
    const found = locate(fuelled.wasm, fuelled.map ?? "", trap);
    assert.equal(found?.cause, "out of fuel", trap);
    assert.deepEqual({ ...found?.at, column: 0 }, { file: "chancery-entry.ts", line, column: 0 });
  });
}

test("each callback has its own budget, and the configuration has ten times as much", async () => {
  const { proxy_on_tick, proxy_on_configure } = await started(withFuel(plain.wasm, { budget: 50_000 }).wasm);
  for (let i = 0; i < 100; i++) proxy_on_tick?.(1000);
  assert.match(
    trapOf(() => proxy_on_tick?.(10_000)),
    /unreachable/,
  );
  assert.equal(typeof proxy_on_configure?.(10_000, 0), "number");
  assert.match(
    trapOf(() => proxy_on_configure?.(100_000, 0)),
    /unreachable/,
  );
});

test("locate finds another trap in the module with fuel and in the module without", async () => {
  const source = "export function proxy_on_tick(what: u32): u32 {\n  return 10 / (what - 7);\n}\n";
  const compiled = await compile({ directory: "/", source, maximumMemoryPages: 16 });
  assert.ok(compiled.ok);
  for (const { wasm, map = "" } of [compiled, withFuel(compiled.wasm, { map: compiled.map })]) {
    const { proxy_on_tick } = await started(wasm);
    const found = locate(
      wasm,
      map,
      trapOf(() => proxy_on_tick?.(7)),
    );
    assert.equal(found?.cause, "divide by zero");
    assert.equal(found?.at?.line, 2);
  }
});

test("locate finds nothing in text without a trap", () => {
  assert.equal(locate(plain.wasm, plain.map, "all is well"), undefined);
});

test("rejects bytes that are not a module", () => {
  assert.throws(() => withFuel(Uint8Array.of(1, 2, 3)), /not a WebAssembly module/);
});

async function started(wasm: Uint8Array): Promise<Record<string, Callback>> {
  const { instance } = await WebAssembly.instantiate(wasm, { env: { proxy_log: () => 0 } });
  instance.exports["_initialize"]?.();
  return instance.exports;
}

function trapOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return error instanceof Error ? (error.stack ?? "") : String(error);
  }
  return "no trap";
}
