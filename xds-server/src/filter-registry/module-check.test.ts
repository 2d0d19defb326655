import assert from "node:assert/strict";
import { test } from "node:test";
import { checkModule } from "./check-module.ts";
import { catalogLimits, customSection, type HandMade, handMade, least, op } from "./testing.ts";
import { readBinary } from "./wasm-binary.ts";

const limits = { ...catalogLimits, trialTimeLimitMs: 2000 };
const good = handMade({ functions: least });
const header = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0];

/** A kind of fault, a module with this fault, the code, and a pattern of the message and hint. */
type Case = readonly [what: string, wasm: Uint8Array, code: string, words: RegExp];

const notModules: readonly Case[] = [
  ["an empty file", new Uint8Array(), "FILTER_MODULE_MALFORMED", /it ends in the middle/],
  ["text", bytes("<html>not found</html>"), "FILTER_MODULE_MALFORMED", /does not begin with "\\0asm"/],
  ["a component", Uint8Array.from([0, 0x61, 0x73, 0x6d, 13, 0, 1, 0]), "FILTER_MODULE_MALFORMED", /version 65549/],
  [
    "a later binary version",
    Uint8Array.from([0, 0x61, 0x73, 0x6d, 2, 0, 0, 0]),
    "FILTER_MODULE_MALFORMED",
    /of binary version 2/,
  ],
  ["a module cut short", good.subarray(0, good.length - 5), "FILTER_MODULE_MALFORMED", /it ends in the middle/],
  ["only the first bytes of a module", good.subarray(0, 6), "FILTER_MODULE_MALFORMED", /it ends in the middle/],
  [
    "a section longer than the file",
    Uint8Array.from([...header, 1, 0x7f, 1]),
    "FILTER_MODULE_MALFORMED",
    /ends in the middle/,
  ],
  [
    "a number that is too long",
    Uint8Array.from([...header, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
    "FILTER_MODULE_MALFORMED",
    /a number in it is too long/,
  ],
  [
    "a type for garbage collection",
    Uint8Array.from([...header, 1, 3, 1, 0x5f, 0]),
    "FILTER_MODULE_MALFORMED",
    /form 0x5f/,
  ],
  [
    "an export of a function that does not exist",
    Uint8Array.from([...header, 7, 5, 1, 1, 0x61, 0, 9]),
    "FILTER_MODULE_MALFORMED",
    /refers to function 9, which it does not have/,
  ],
  ["an unknown section", Uint8Array.from([...good, 99, 1, 0]), "FILTER_MODULE_INVALID", /unknown section code #0x63/],
  [
    "a function whose types do not match",
    made({ proxy_on_log: { signature: "i32 ->", body: op.constant(1) } }),
    "FILTER_MODULE_INVALID",
    /not a valid WebAssembly module: Compiling function/,
  ],
  [
    "a name exported twice",
    handMade({ functions: least, exportsMemoryAs: "memory" }),
    "FILTER_MODULE_INVALID",
    /Duplicate export name 'memory'/,
  ],
  [
    "a module that is too large",
    Uint8Array.from([...good, ...customSection("x", new Uint8Array(10_000))]),
    "FILTER_MODULE_TOO_LARGE",
    /the maximum is 10000/,
  ],
];

const notForEnvoy: readonly Case[] = [
  [
    "no ABI version",
    handMade({ functions: without("proxy_abi_version_0_2_1") }),
    "FILTER_ABI_MISSING",
    /which proxy-wasm ABI/,
  ],
  [
    "an ABI version that is a memory",
    handMade({ functions: without("proxy_abi_version_0_2_1"), exportsMemoryAs: "proxy_abi_version_0_2_1" }),
    "FILTER_ABI_MISSING",
    /which proxy-wasm ABI/,
  ],
  [
    "the old ABI",
    abi("proxy_abi_version_0_1_0"),
    "FILTER_ABI_UNSUPPORTED",
    /proxy_abi_version_0_1_0, which is not supported/,
  ],
  ["a draft of an ABI", abi("proxy_abi_version_0_3_0"), "FILTER_ABI_UNSUPPORTED", /proxy_abi_version_0_3_0/],
  [
    "no allocator",
    handMade({ functions: without("proxy_on_memory_allocate") }),
    "FILTER_ALLOCATOR_MISSING",
    /exports no memory allocator/,
  ],
  [
    "an allocator with another signature",
    made({ proxy_on_memory_allocate: { signature: "i32 i32 -> i32" } }),
    "FILTER_EXPORT_SIGNATURE",
    /proxy_on_memory_allocate as \(i32 i32 -> i32\)/,
  ],
  [
    "a malloc with another signature",
    made({ malloc: { signature: "i64 -> i32" } }),
    "FILTER_EXPORT_SIGNATURE",
    /malloc as \(i64 -> i32\); Envoy calls it as \(i32 -> i32\)/,
  ],
  [
    "an unknown host call",
    imports("proxy_make_coffee", "i32 -> i32"),
    "FILTER_IMPORT_UNKNOWN",
    /env\.proxy_make_coffee, which Envoy does not have/,
  ],
  [
    "the old host call to clear the route",
    imports("proxy_clear_route_cache", "-> i32"),
    "FILTER_IMPORT_UNKNOWN",
    /call the foreign function clear_route_cache/,
  ],
  [
    "the old host call to read the configuration",
    imports("proxy_get_configuration", "i32 i32 -> i32"),
    "FILTER_IMPORT_UNKNOWN",
    /use proxy_get_buffer_bytes/,
  ],
  [
    "the old host call to continue a request",
    imports("proxy_continue_request", "-> i32"),
    "FILTER_IMPORT_UNKNOWN",
    /use proxy_continue_stream/,
  ],
  [
    "AssemblyScript's own abort",
    imports("abort", "i32 i32 i32 i32 ->"),
    "FILTER_IMPORT_UNKNOWN",
    /asc --use abort=FUNCTION/,
  ],
  [
    "Emscripten's helper",
    imports("emscripten_notify_memory_growth", "i32 ->"),
    "FILTER_IMPORT_UNKNOWN",
    /env\.emscripten_notify_memory_growth/,
  ],
  [
    "a host call with another signature",
    imports("proxy_log", "i32 i32 -> i32"),
    "FILTER_IMPORT_SIGNATURE",
    /env\.proxy_log as \(i32 i32 -> i32\); Envoy has it as \(i32 i32 i32 -> i32\)/,
  ],
  [
    "a host call without its result",
    imports("proxy_set_tick_period_milliseconds", "i32 ->"),
    "FILTER_IMPORT_SIGNATURE",
    /Envoy has it as \(i32 -> i32\)/,
  ],
  [
    "a metric with a value of 32 bits",
    imports("proxy_increment_metric", "i32 i32 -> i32"),
    "FILTER_IMPORT_SIGNATURE",
    /Envoy has it as \(i32 i64 -> i32\)/,
  ],
  [
    "a gRPC call that lacks an argument",
    imports("proxy_grpc_call", `${"i32 ".repeat(11)}-> i32`),
    "FILTER_IMPORT_SIGNATURE",
    /env\.proxy_grpc_call/,
  ],
  [
    "an unknown WASI call",
    imports("path_dance", "i32 -> i32", "wasi_snapshot_preview1"),
    "FILTER_IMPORT_UNKNOWN",
    /wasi_snapshot_preview1\.path_dance/,
  ],
  [
    "a WASI call with another signature",
    imports("clock_time_get", "i32 i32 i32 -> i32", "wasi_snapshot_preview1"),
    "FILTER_IMPORT_SIGNATURE",
    /Envoy has it as \(i32 i64 i32 -> i32\)/,
  ],
  [
    "a host call from WASI's module",
    imports("proxy_log", "i32 i32 i32 -> i32", "wasi_unstable"),
    "FILTER_IMPORT_UNKNOWN",
    /wasi_unstable\.proxy_log/,
  ],
  [
    "WASI's second preview",
    imports("now", "-> i64", "wasi:clocks/monotonic-clock@0.2.0"),
    "FILTER_IMPORT_UNKNOWN",
    /no import module "wasi:clocks/,
  ],
  [
    "an unknown module name",
    imports("log", "i32 ->", "index"),
    "FILTER_IMPORT_UNKNOWN",
    /no import module "index"[\s\S]*import from "env"/,
  ],
  [
    "an imported memory",
    handMade({ functions: least, importsOther: "memory" }),
    "FILTER_IMPORT_UNKNOWN",
    /imports env\.thing, a memory[\s\S]*export a memory as "memory"/,
  ],
  [
    "an imported table",
    handMade({ functions: least, importsOther: "table" }),
    "FILTER_IMPORT_UNKNOWN",
    /env\.thing, which is not a function/,
  ],
  [
    "an imported global",
    handMade({ functions: least, importsOther: "global" }),
    "FILTER_IMPORT_UNKNOWN",
    /env\.thing, which is not a function/,
  ],
  [
    "a callback of the old ABI's signature",
    made({ proxy_on_request_headers: { signature: "i32 i32 -> i32" } }),
    "FILTER_EXPORT_SIGNATURE",
    /proxy_on_request_headers as \(i32 i32 -> i32\); Envoy calls it as \(i32 i32 i32 -> i32\)/,
  ],
  [
    "a callback without its result",
    made({ proxy_on_configure: { signature: "i32 i32 ->" } }),
    "FILTER_EXPORT_SIGNATURE",
    /Envoy calls it as \(i32 i32 -> i32\)/,
  ],
  [
    "a callback that is a memory",
    handMade({ functions: least, exportsMemoryAs: "proxy_on_log" }),
    "FILTER_EXPORT_SIGNATURE",
    /proxy_on_log, which should be a function/,
  ],
  [
    "an _initialize with a result",
    made({ _initialize: { signature: "-> i32" } }),
    "FILTER_EXPORT_SIGNATURE",
    /_initialize as \(-> i32\)/,
  ],
  [
    "a start section",
    handMade({ functions: { ...least, begin: { signature: "->" } }, start: "begin" }),
    "FILTER_START_SECTION",
    /crashes Envoy[\s\S]*--exportStart _initialize/,
  ],
  ["no memory", handMade({ functions: least, memory: "none" }), "FILTER_MEMORY_MISSING", /has no memory/],
  [
    "a memory that is not exported",
    handMade({ functions: least, exportsMemory: false }),
    "FILTER_MEMORY_MISSING",
    /export its memory as "memory"/,
  ],
  [
    "a memory without maximum",
    handMade({ functions: least, memory: { minimum: 1 } }),
    "FILTER_MEMORY_UNBOUNDED",
    /no maximum size/,
  ],
  [
    "a memory that is too large",
    handMade({ functions: least, memory: { minimum: 1, maximum: 16384 } }),
    "FILTER_MEMORY_TOO_LARGE",
    /16384 pages of memory[\s\S]*at most 4096 pages/,
  ],
];

const badManifests: readonly Case[] = [
  ["a manifest that is not JSON", manifest("{name: filter}"), "FILTER_MANIFEST_INVALID", /not JSON/],
  ["a manifest that is not an object", manifest(["filter"]), "FILTER_MANIFEST_INVALID", /expected object/],
  ["a manifest without a name", manifest({ version: "1.0.0" }), "FILTER_MANIFEST_INVALID", /at name: /],
  ["a manifest with an unknown field", manifest({ name: "f", licence: "MIT" }), "FILTER_MANIFEST_INVALID", /licence/],
  [
    "a version with a space",
    manifest({ name: "f", version: "1.0 beta" }),
    "FILTER_MANIFEST_INVALID",
    /at version: must be 1 to 64 letters/,
  ],
  [
    "an unknown failure policy",
    manifest({ name: "f", failure: "ajar" }),
    "FILTER_MANIFEST_INVALID",
    /at failure: .*"closed"/,
  ],
  [
    "an unknown type of metric",
    manifest({ name: "f", metrics: [{ name: "m", type: "timer" }] }),
    "FILTER_MANIFEST_INVALID",
    /at metrics\.0\.type: .*"counter"/,
  ],
  [
    "a mistyped keyword in a schema",
    schema({ type: "object", propertys: {} }),
    "FILTER_MANIFEST_INVALID",
    /unknown keyword: "propertys"/,
  ],
  ["a schema with an invalid value", schema({ type: "objekt" }), "FILTER_MANIFEST_INVALID", /not valid: .*type/],
  [
    "a schema of an older draft",
    schema({ $schema: "http://json-schema.org/draft-04/schema#" }),
    "FILTER_MANIFEST_INVALID",
    /draft-04/,
  ],
  [
    "a schema that refers to another document",
    schema({ $ref: "https://example.com/schema.json" }),
    "FILTER_MANIFEST_INVALID",
    /can't resolve reference/,
  ],
  [
    "a pattern that RE2 lacks",
    schema({ type: "string", pattern: "(?=a)b" }),
    "FILTER_MANIFEST_INVALID",
    /not valid: .*\(\?=/,
  ],
];

const doNotStart: readonly Case[] = [
  [
    "a trap in _initialize",
    made({ _initialize: { signature: "->", body: op.unreachable } }),
    "FILTER_START_FAILED",
    /traps in _initialize: unreachable/,
  ],
  [
    "a trap in main",
    made({ _initialize: { signature: "->" }, main: { signature: "i32 i32 -> i32", body: op.unreachable } }),
    "FILTER_START_FAILED",
    /traps in main: unreachable/,
  ],
  [
    "a trap in _start",
    made({ _start: { signature: "->", body: op.unreachable } }),
    "FILTER_START_FAILED",
    /traps in _start: unreachable/,
  ],
  [
    "an endless recursion in _initialize",
    made({ _initialize: { signature: "->", body: op.call(2) } }),
    "FILTER_START_FAILED",
    /_initialize: Maximum call stack/,
  ],
  [
    "a host call in _initialize",
    handMade({
      imports: [{ name: "proxy_done", signature: "-> i32" }],
      functions: { ...least, _initialize: { signature: "->", body: [...op.call(0), ...op.drop] } },
    }),
    "FILTER_START_FAILED",
    /traps in _initialize: proxy_done was called where Envoy allows only/,
  ],
  [
    "a trap when a context is created",
    made({ proxy_on_context_create: { signature: "i32 i32 ->", body: op.unreachable } }),
    "FILTER_START_FAILED",
    /traps in proxy_on_context_create/,
  ],
  [
    "a VM that does not start",
    made({ proxy_on_vm_start: { signature: "i32 i32 -> i32", body: op.constant(0) } }),
    "FILTER_START_FAILED",
    /proxy_on_vm_start returns false/,
  ],
  [
    "a trap in on_configure",
    made({ proxy_on_configure: { signature: "i32 i32 -> i32", body: op.unreachable } }),
    "FILTER_START_FAILED",
    /traps in proxy_on_configure: unreachable/,
  ],
  [
    "a read beyond the memory",
    made({ proxy_on_configure: { signature: "i32 i32 -> i32", body: op.readBeyond } }),
    "FILTER_START_FAILED",
    /memory access out of bounds/,
  ],
  [
    "a trap in the first request",
    made({ proxy_on_request_headers: { signature: "i32 i32 i32 -> i32", body: op.unreachable } }),
    "FILTER_START_FAILED",
    /traps in proxy_on_request_headers: unreachable, at 0x/,
  ],
  [
    "a division by zero",
    made({ proxy_on_configure: { signature: "i32 i32 -> i32", body: op.divideByZero } }),
    "FILTER_START_FAILED",
    /divide by zero/,
  ],
];

for (const [what, wasm, code, words] of [...notModules, ...notForEnvoy, ...badManifests, ...doNotStart]) {
  test(`rejects ${what}, and says so`, async () => {
    const checked = await checkModule(wasm, limits);
    const faults = checked.ok ? [] : checked.faults;
    assert.deepEqual(
      faults.map((fault) => fault.code),
      [code],
      JSON.stringify(faults),
    );
    assert.match(`${faults[0]?.message}\n${faults[0]?.hint}`, words);
  });
}

test("stops an endless loop at the time limit, and names the callback", async () => {
  for (const callback of ["_initialize", "proxy_on_configure"]) {
    const signature = callback === "_initialize" ? "->" : "i32 i32 -> i32";
    const wasm = made({ [callback]: { signature, body: [...op.loopForEver, ...op.unreachable] } });
    assert.deepEqual(await checkModule(wasm, { ...limits, trialTimeLimitMs: 1000 }), {
      ok: false,
      faults: [
        { code: "FILTER_TIME_LIMIT", message: `does not end within 1000 ms: it was in ${callback} (an endless loop?)` },
      ],
    });
  }
});

test("finds all faults, not only the first", async () => {
  const wasm = handMade({
    imports: [{ name: "proxy_make_coffee", signature: "->" }],
    functions: { begin: { signature: "->" } },
    memory: { minimum: 1 },
    start: "begin",
    manifest: {},
  });
  const checked = await checkModule(wasm, limits);
  assert.deepEqual(checked.ok ? [] : checked.faults.map(({ code }) => code), [
    "FILTER_ABI_MISSING",
    "FILTER_ALLOCATOR_MISSING",
    "FILTER_IMPORT_UNKNOWN",
    "FILTER_START_SECTION",
    "FILTER_MEMORY_UNBOUNDED",
    "FILTER_MANIFEST_INVALID",
  ]);
});

test("accepts the smallest module that Envoy accepts, and returns its facts and manifest", async () => {
  const about = { name: "gate", version: "1.2.0", failure: "closed", configSchema: { type: "object" } };
  const wasm = handMade({
    imports: [
      { name: "proxy_log", signature: "i32 i32 i32 -> i32" },
      { module: "wasi_snapshot_preview1", name: "fd_write", signature: "i32 i32 i32 i32 -> i32" },
    ],
    functions: { ...least, proxy_on_log: { signature: "i32 ->" } },
    manifest: about,
  });
  assert.deepEqual(await checkModule(wasm, limits), {
    ok: true,
    facts: {
      abi: "0.2.1",
      hostCalls: ["fd_write", "proxy_log"],
      callbacks: ["proxy_on_log", "proxy_on_memory_allocate"],
      manifest: about,
    },
  });
});

test("a filter may reject an empty configuration", async () => {
  const wasm = made({ proxy_on_configure: { signature: "i32 i32 -> i32", body: op.constant(0) } });
  assert.ok((await checkModule(wasm, limits)).ok);
});

test("reads any bytes without an exception", () => {
  let seed = 1;
  const random = (): number => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed;
  };
  for (let round = 0; round < 200; round++) {
    const changed = good.slice();
    for (let changes = 0; changes < 3; changes++) changed[8 + (random() % (changed.length - 20))] = random() & 0xff;
    assert.equal(typeof readBinary(changed).ok, "boolean");
  }
});

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function made(functions: HandMade["functions"]): Uint8Array {
  return handMade({ functions: { ...least, ...functions } });
}

function without(name: string): HandMade["functions"] {
  return Object.fromEntries(Object.entries(least).filter(([kept]) => kept !== name));
}

function abi(name: string): Uint8Array {
  return handMade({ functions: { ...without("proxy_abi_version_0_2_1"), [name]: { signature: "->" } } });
}

function imports(name: string, signature: string, module = "env"): Uint8Array {
  return handMade({ imports: [{ module, name, signature }], functions: least });
}

function manifest(content: unknown): Uint8Array {
  return handMade({ functions: least, manifest: content });
}

function schema(configSchema: object): Uint8Array {
  return manifest({ name: "f", configSchema });
}
