import assert from "node:assert/strict";
import { test } from "node:test";
import { checkModule } from "./module-check.ts";
import { type HandMade, handMade, least, op } from "./testing.ts";
import { readBinary } from "./wasm-binary.ts";

const timeLimitMs = 2000;
const good = handMade({ functions: least });

/** What is wrong, a module that has it, and what its author is told. */
const refused: readonly (readonly [what: string, wasm: Uint8Array, cause: RegExp])[] = [
  ["nothing at all", new Uint8Array(), /^is not a WebAssembly module: it ends in the middle/],
  ["text", new TextEncoder().encode("<html>not found</html>"), /does not begin with "\\0asm"/],
  ["a component", Uint8Array.from([0, 0x61, 0x73, 0x6d, 13, 0, 1, 0]), /binary version 65549, not 1/],
  ["a module cut short", good.subarray(0, good.length - 5), /it ends in the middle/],
  [
    "a function that does not type",
    made({ proxy_on_log: { signature: "i32 ->", body: op.constant(1) } }),
    /not a valid/,
  ],
  ["no ABI version", handMade({ functions: without("proxy_abi_version_0_2_1") }), /which proxy-wasm ABI it is for/],
  [
    "the old ABI",
    handMade({ functions: { ...without("proxy_abi_version_0_2_1"), proxy_abi_version_0_1_0: { signature: "->" } } }),
    /proxy_abi_version_0_1_0 is not supported/,
  ],
  ["no allocation", handMade({ functions: without("proxy_on_memory_allocate") }), /export proxy_on_memory_allocate/],
  [
    "an unknown host call",
    imports("proxy_make_coffee", "i32 -> i32"),
    /env\.proxy_make_coffee, which Envoy does not have$/,
  ],
  [
    "a host call that is gone",
    imports("proxy_clear_route_cache", "-> i32"),
    /call the foreign function clear_route_cache/,
  ],
  [
    "a host call of another signature",
    imports("proxy_log", "i32 i32 -> i32"),
    /env\.proxy_log as \(i32 i32 -> i32\); Envoy has it as \(i32 i32 i32 -> i32\)/,
  ],
  ["an unknown module name", imports("abort", "i32 ->", "index"), /nothing by the module name "index"/],
  ["an imported memory", handMade({ functions: least, importsMemory: true }), /imports its memory as env\.memory/],
  [
    "a callback of another signature",
    made({ proxy_on_request_headers: { signature: "i32 i32 -> i32" } }),
    /proxy_on_request_headers as \(i32 i32 -> i32\); Envoy calls it as \(i32 i32 i32 -> i32\)/,
  ],
  [
    "a start section",
    handMade({ functions: { ...least, begin: { signature: "->" } }, start: "begin" }),
    /crashes Envoy/,
  ],
  ["no memory", handMade({ functions: least, memory: "none" }), /has no memory/],
  [
    "a memory that is not exported",
    handMade({ functions: least, exportsMemory: false }),
    /export its memory as "memory"/,
  ],
  ["a memory without maximum", handMade({ functions: least, memory: { minimum: 1 } }), /no maximum of memory/],
  [
    "too large a memory",
    handMade({ functions: least, memory: { minimum: 1, maximum: 16384 } }),
    /16384 pages of memory/,
  ],
  [
    "a trap in _initialize",
    made({ _initialize: { signature: "->", body: op.unreachable } }),
    /_initialize traps: unreachable/,
  ],
  [
    "a host call in _initialize",
    handMade({
      imports: [{ name: "proxy_done", signature: "-> i32" }],
      functions: { ...least, _initialize: { signature: "->", body: [...op.call(0), ...op.drop] } },
    }),
    /_initialize traps: proxy_done was called before the module was started/,
  ],
  [
    "a trap when a context is made",
    made({ proxy_on_context_create: { signature: "i32 i32 ->", body: op.unreachable } }),
    /proxy_on_context_create traps/,
  ],
  [
    "a VM that does not start",
    made({ proxy_on_vm_start: { signature: "i32 i32 -> i32", body: op.constant(0) } }),
    /proxy_on_vm_start answers false/,
  ],
  [
    "a trap in on_configure",
    made({ proxy_on_configure: { signature: "i32 i32 -> i32", body: op.unreachable } }),
    /proxy_on_configure traps: unreachable/,
  ],
];

for (const [what, wasm, cause] of refused) {
  test(`refuses ${what} and says so`, async () => {
    const causes = await checkModule(wasm, { timeLimitMs });
    assert.equal(causes.length, 1, causes.join("\n"));
    assert.match(causes[0] ?? "", cause);
  });
}

test("stops an endless loop at the time limit and names where it was", async () => {
  const wasm = made({
    proxy_on_configure: { signature: "i32 i32 -> i32", body: [...op.loopForEver, ...op.constant(1)] },
  });
  const causes = await checkModule(wasm, { timeLimitMs: 300 });
  assert.deepEqual(causes, ["proxy_on_configure did not end in 300 ms (an endless loop?)"]);
});

test("finds every cause, not the first", async () => {
  const wasm = handMade({
    imports: [{ name: "proxy_make_coffee", signature: "->" }],
    functions: { begin: { signature: "->" } },
    memory: { minimum: 1 },
    start: "begin",
  });
  assert.equal((await checkModule(wasm, { timeLimitMs })).length, 5);
});

test("takes the least that Envoy takes", async () => {
  assert.deepEqual(await checkModule(good, { timeLimitMs }), []);
});

test("minds a refused configuration only when one is given", async () => {
  const wasm = made({ proxy_on_configure: { signature: "i32 i32 -> i32", body: op.constant(0) } });
  assert.deepEqual(await checkModule(wasm, { timeLimitMs }), []);
  assert.deepEqual(await checkModule(wasm, { timeLimitMs, configuration: "{}" }), [
    "proxy_on_configure refuses the configuration: it logged no reason",
  ]);
});

test("reads any bytes without throwing", () => {
  let seed = 1;
  const random = (): number => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed;
  };
  for (let round = 0; round < 200; round++) {
    const bytes = good.slice();
    for (let changes = 0; changes < 3; changes++) bytes[8 + (random() % (bytes.length - 20))] = random() & 0xff;
    assert.equal(typeof readBinary(bytes).ok, "boolean");
  }
});

function made(functions: HandMade["functions"]): Uint8Array {
  return handMade({ functions: { ...least, ...functions } });
}

function without(name: string): HandMade["functions"] {
  return Object.fromEntries(Object.entries(least).filter(([kept]) => kept !== name));
}

function imports(name: string, signature: string, module = "env"): Uint8Array {
  return handMade({ imports: [{ module, name, signature }], functions: least });
}
