import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { buildFilter } from "./build.ts";

const source = (methods: string, before = "") => `
import {
  Context, FilterHeadersStatusValues, RootContext, registerRootContext, stream_context,
} from "@chancery/filter-sdk";
${before}
class Root extends RootContext {
  createContext(context_id: u32): Context { return new Stream(context_id, this); }
}
class Stream extends Context {
  ${methods}
}
registerRootContext((context_id: u32) => new Root(context_id), "sample");
`;

const onResponseHeaders = `onResponseHeaders(_headers: u32, _end: bool): FilterHeadersStatusValues {
    stream_context.headers.response.add("hello", "world");
    return FilterHeadersStatusValues.Continue;
  }`;

/** The exports of every filter, whatever it overrides. */
const always = [
  "_initialize",
  "memory",
  "proxy_abi_version_0_2_1",
  "proxy_on_configure",
  "proxy_on_context_create",
  "proxy_on_delete",
  "proxy_on_memory_allocate",
];

test("builds a folder outside this repository, and exports only the callbacks that it overrides", async (t) => {
  const directory = await filter(t, source(`${onResponseHeaders}\n  onLog(): void {}`));
  const built = await buildFilter(directory);
  assert.ok(built.ok, built.ok ? "" : built.errors.join("\n"));
  assert.equal(built.name, "sample");
  assert.equal(built.wasmPath, join(directory, "build", "sample.wasm"));
  assert.deepEqual(new Uint8Array(await readFile(built.wasmPath)), built.wasm);
  assert.equal(createHash("sha256").update(built.wasm).digest("hex"), built.sha256);
  assert.deepEqual(exportsOf(built.wasm), [...always, "proxy_on_log", "proxy_on_response_headers"].sort());
});

test("accepts a filter that exports the callbacks itself, as @solo-io/proxy-runtime requires", async (t) => {
  const directory = await filter(t, source(onResponseHeaders, 'export * from "@chancery/filter-sdk/proxy";'));
  const built = await buildFilter(directory);
  assert.ok(built.ok, built.ok ? "" : built.errors.join("\n"));
  assert.deepEqual(exportsOf(built.wasm), [...always, "proxy_on_response_headers"].sort());
});

test("reports file, line and column of an error", async (t) => {
  const directory = await filter(t, source("onLog(): void { this.nothing(); }"));
  const built = await buildFilter(directory);
  assert.deepEqual(built, {
    ok: false,
    errors: ["assembly/index.ts:10:24: Property 'nothing' does not exist on type 'assembly/index/Stream'. (AS2339)"],
  });
});

test("reports a missing source", async (t) => {
  const built = await buildFilter(await filter(t, 'import "./gone";'));
  assert.match(built.ok ? "" : built.errors.join(), /assembly\/index\.ts:1:8: File 'assembly\/gone\.ts' not found/);
});

test("reports a folder without a filter", async (t) => {
  const directory = await filter(t, "");
  await rm(join(directory, "assembly", "index.ts"));
  const built = await buildFilter(directory);
  assert.deepEqual(built, { ok: false, errors: ["File 'assembly/index.ts' not found. (AS6054)"] });
});

test("builds the same module in any folder, also while other filters are built", async (t) => {
  const text = source(`onLog(): void { throw new Error("has a place"); }`);
  const folders = await Promise.all([filter(t, text), filter(t, source(onResponseHeaders)), filter(t, text)]);
  const [first, other, second] = await Promise.all(folders.map((directory) => buildFilter(directory)));
  assert.ok(first?.ok && other?.ok && second?.ok);
  assert.equal(first.sha256, second.sha256);
  assert.notEqual(first.sha256, other.sha256);
});

test("rejects a folder whose package.json does not name the filter", async (t) => {
  const errors = async (directory: string): Promise<string> => {
    const built = await buildFilter(directory);
    return built.ok ? "" : built.errors.join();
  };
  assert.match(await errors(join(tmpdir(), "no-such-filter")), /is not a filter: it has no package\.json/);
  assert.match(await errors(await filter(t, "", "{")), /package\.json: .*JSON/);
  assert.match(
    await errors(await filter(t, "", '{"name": "../../up"}')),
    /should name the filter by .*; found "\.\.\/\.\.\/up"/,
  );
});

async function filter(t: TestContext, index: string, description = '{"name": "sample"}'): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "chancery-filter-"));
  t.after(() => rm(directory, { recursive: true, force: true }));
  await mkdir(join(directory, "assembly"));
  await writeFile(join(directory, "package.json"), description);
  await writeFile(join(directory, "assembly", "index.ts"), index);
  return directory;
}

interface Engine {
  readonly Module: {
    new (wasm: Uint8Array): object;
    exports(module: object): readonly { readonly name: string }[];
  };
}

function exportsOf(wasm: Uint8Array): string[] {
  const { Module } = (globalThis as unknown as { readonly WebAssembly: Engine }).WebAssembly;
  return Module.exports(new Module(wasm))
    .map(({ name }) => name)
    .sort();
}
