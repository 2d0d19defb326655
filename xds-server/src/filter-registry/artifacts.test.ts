import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type CatalogOptions, openCatalog } from "./artifacts.ts";
import type { Catalog } from "./catalog.ts";
import { catalogLimits, handMade, least, op } from "./testing.ts";

/** A module with other bytes for each number, which its allocator returns. */
const module = (number: number, manifest?: object): Uint8Array =>
  handMade({
    functions: { ...least, proxy_on_memory_allocate: { signature: "i32 -> i32", body: op.constant(number) } },
    ...(manifest === undefined ? {} : { manifest }),
  });
const one = { name: "gate", version: "1.0.0" };

test("keeps versions across a restart, newest first", async (t) => {
  const open = await opener(t);
  const catalog = await open();
  const first = await push(catalog, module(1, one));
  const second = await push(catalog, module(2), "beta");
  const again = await open();
  assert.deepEqual(again.faults, []);
  assert.deepEqual(again.versions("gate"), [second.version, first.version]);
  assert.deepEqual([...again.get().values()], [first.artifact, second.artifact]);
  assert.deepEqual(again.versions("other"), []);
});

test("the bytes of a version never change", async (t) => {
  const open = await opener(t);
  const catalog = await open();
  assert.equal((await push(catalog, module(1, one))).version.version, "1.0.0");
  assert.equal((await push(catalog, module(1, one))).version.version, "1.0.0", "the same bytes again");
  const edited = await push(catalog, module(2, one));
  assert.equal(edited.version.version, `1.0.0+${edited.version.sha256.slice(0, 8)}`, "with its digest");
  const restarted = await open();
  const rejected = await restarted.add({ filter: "gate", wasm: module(3, one), version: "1.0.0" });
  assert.deepEqual(rejected.ok ? [] : rejected.faults.map(({ code }) => code), ["FILTER_VERSION_TAKEN"]);
  assert.match(
    rejected.ok ? "" : (rejected.faults[0]?.message ?? ""),
    /cannot be version 1\.0\.0: that version is another module/,
  );
  assert.equal(restarted.versions().length, 2);
  const unnamed = await push(catalog, module(4));
  assert.equal(unnamed.version.version, unnamed.version.sha256.slice(0, 12), "without a manifest, its digest");
});

test("one module can be several versions of several filters", async (t) => {
  const catalog = await (await opener(t))();
  const seen: number[] = [];
  catalog.watch((artifacts) => seen.push(artifacts.size));
  await push(catalog, module(1), "1");
  await push(catalog, module(1), "2");
  const other = await catalog.add({ filter: "other", wasm: module(1) });
  assert.ok(other.ok);
  assert.deepEqual(
    catalog.versions().map(({ filter, version }) => `${filter} ${version}`),
    [`other ${other.version.sha256.slice(0, 12)}`, "gate 2", "gate 1"],
  );
  assert.deepEqual(seen, [1], "watchers are called for a new module only");
});

test("keeps the source map of a module across a restart, and removes it with the module", async (t) => {
  const directory = await folder(t);
  const open = () => openCatalog({ ...catalogLimits, directory, maxVersions: 1 });
  const catalog = await open();
  const { sha256 } = (await push(catalog, module(1))).version;
  assert.equal(await catalog.sourceMap(sha256), undefined);
  await catalog.keepSourceMap(sha256, "{}");
  await catalog.keepSourceMap("a".repeat(64), "{}");
  assert.equal(await (await open()).sourceMap(sha256), "{}");
  await push(catalog, module(2));
  assert.equal(await catalog.sourceMap(sha256), undefined);
  assert.equal((await readdir(directory)).length, 2);
});

test("drops the oldest version that no document needs, and rejects a push when all are needed", async (t) => {
  const needed = new Set<string>();
  const directory = await folder(t);
  const catalog = await openCatalog({ ...catalogLimits, directory, maxVersions: 2, needed: async () => needed });
  const first = await push(catalog, module(1), "1");
  await push(catalog, module(2), "2");
  needed.add(first.version.sha256);
  await push(catalog, module(3), "3");
  assert.deepEqual(
    catalog.versions().map(({ version }) => version),
    ["3", "1"],
  );
  assert.deepEqual(await readdir(directory).then((files) => files.length), 3, "the file is removed, too");
  for (const { sha256 } of catalog.versions()) needed.add(sha256);
  const rejected = await catalog.add({ filter: "gate", wasm: module(4), version: "4" });
  assert.deepEqual(rejected.ok ? [] : rejected.faults.map(({ code }) => code), ["FILTER_REGISTRY_FULL"]);
  assert.deepEqual(
    catalog.versions().map(({ version }) => version),
    ["3", "1"],
  );
});

test("does not drop a module that a write names while room is made", async (t) => {
  const needed = new Set<string>();
  const directory = await folder(t);
  let asked = 0;
  const catalog = await openCatalog({
    ...catalogLimits,
    directory,
    maxVersions: 2,
    needed: async () => {
      asked += 1;
      // A write that names the first module is committed after this was asked for the first time.
      const answer = new Set(needed);
      if (asked === 1) needed.add(first.version.sha256);
      return answer;
    },
  });
  const first = await push(catalog, module(1), "1");
  await push(catalog, module(2), "2");
  await push(catalog, module(3), "3");
  assert.deepEqual(
    catalog.versions().map(({ version }) => version),
    ["3", "1"],
  );
  assert.ok(catalog.get().has(first.version.sha256));
  assert.equal((await readdir(directory)).length, 3);
});

test("the total size of all modules is limited", async (t) => {
  const size = module(1).length;
  const catalog = await (await opener(t, { maxTotalBytes: 2 * size, maxVersions: 9 }))();
  for (const number of [1, 2, 3]) await push(catalog, module(number), String(number));
  assert.deepEqual(
    catalog.versions().map(({ version }) => version),
    ["3", "2"],
  );
});

test("writes no file for a rejected module", async (t) => {
  const directory = await folder(t);
  const catalog = await openCatalog({ ...catalogLimits, directory });
  const rejected = await catalog.add({ filter: "gate", wasm: Uint8Array.from([1, 2, 3, 4]) });
  assert.deepEqual(rejected.ok ? [] : rejected.faults.map(({ code }) => code), ["FILTER_MODULE_MALFORMED"]);
  assert.deepEqual(await readdir(directory), []);
});

test("leaves out and reports a changed file, and restores it when the module is pushed again", async (t) => {
  const directory = await folder(t);
  const open = () => openCatalog({ ...catalogLimits, directory });
  const { version } = await push(await open(), module(1, one));
  await writeFile(join(directory, `${version.sha256}.wasm`), module(2));
  const catalog = await open();
  assert.equal(catalog.get().size, 0);
  assert.match(
    catalog.faults.join(),
    /\.wasm, filter "gate" 1\.0\.0: the file has the sha256 .*; push the module again/,
  );
  assert.deepEqual((await push(catalog, module(1, one))).version, version);
  assert.deepEqual((await open()).faults, []);
});

test("reports a changed index, and then removes no file", async (t) => {
  const directory = await folder(t);
  const open = () => openCatalog({ ...catalogLimits, directory });
  const { version } = await push(await open(), module(1));
  const index = join(directory, "index.json");
  await writeFile(index, (await readFile(index, "utf8")).replace('"gate"', '"date"'));
  const catalog = await open();
  assert.match(catalog.faults.join(), /Cannot read .*index\.json: its checksum does not match its content/);
  assert.deepEqual((await readdir(directory)).sort(), [`${version.sha256}.wasm`, "index.json"].sort());
});

test("removes incomplete files of a crash", async (t) => {
  const directory = await folder(t);
  await writeFile(join(directory, `${"a".repeat(64)}.wasm.unfinished`), "");
  await writeFile(join(directory, "notes.txt"), "kept");
  await openCatalog({ ...catalogLimits, directory });
  assert.deepEqual(await readdir(directory), ["notes.txt"]);
});

test("checks a configuration by the schema first, and then by the module", async (t) => {
  const catalog = await (await opener(t))();
  const configSchema = {
    type: "object",
    properties: { mode: { enum: ["on", "off"] }, rules: { type: "array", items: { type: "string", pattern: "^/" } } },
    required: ["mode"],
    additionalProperties: false,
  };
  // Rejects configurations of more than 63 bytes.
  const atMost63 = [0x20, 0x01, 0x41, 0x3f, 0x4d];
  const functions = { ...least, proxy_on_configure: { signature: "i32 i32 -> i32", body: atMost63 } };
  const wasm = handMade({ functions, manifest: { ...one, configSchema } });
  const { sha256 } = (await push(catalog, wasm)).version;
  const faults = async (config: unknown) =>
    (await catalog.checkConfiguration(sha256, config)).map(({ code, path, message }) => [code, path, message]);
  assert.deepEqual(await faults({ mode: "on" }), []);
  assert.deepEqual(await faults({ moode: "on", rules: ["/", "x"] }), [
    ["FILTER_CONFIG_INVALID", "mode", "is required"],
    ["FILTER_CONFIG_INVALID", "moode", "is not a known field"],
    ["FILTER_CONFIG_INVALID", "rules[1]", 'must match pattern "^/"'],
  ]);
  assert.deepEqual(await faults({ mode: "half" }), [["FILTER_CONFIG_INVALID", "mode", 'must be one of "on", "off"']]);
  assert.deepEqual(await faults([]), [["FILTER_CONFIG_INVALID", "", "must be object"]]);
  assert.deepEqual(await faults({ mode: "on", rules: ["/".repeat(60)] }), [
    ["FILTER_CONFIG_REJECTED", undefined, "rejects the configuration: it logged no reason"],
  ]);
});

async function push(catalog: Catalog, wasm: Uint8Array, version?: string) {
  const added = await catalog.add({ filter: "gate", wasm, ...(version === undefined ? {} : { version }) });
  assert.ok(added.ok, JSON.stringify(added));
  return added;
}

async function folder(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "chancery-artifacts-"));
  t.after(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

async function opener(t: TestContext, options: Partial<CatalogOptions> = {}): Promise<() => Promise<Catalog>> {
  const directory = await folder(t);
  return () => openCatalog({ ...catalogLimits, directory, ...options });
}
