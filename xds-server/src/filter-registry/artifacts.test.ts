import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { openCatalog } from "./artifacts.ts";
import { handMade, least, op } from "./testing.ts";

const limits = { maxModuleBytes: 10_000, maxArtifacts: 2 };
/** Modules that differ in what their allocation answers. */
const version = (number: number): Uint8Array =>
  handMade({
    functions: { ...least, proxy_on_memory_allocate: { signature: "i32 -> i32", body: op.constant(number) } },
  });

test("keeps a module over a restart", async (t) => {
  const directory = await folder(t);
  const added = await (await openCatalog({ directory, ...limits })).add({ filter: "gate", wasm: version(1) });
  assert.ok(added.ok);
  const again = await openCatalog({ directory, ...limits });
  assert.deepEqual(again.faults, []);
  assert.deepEqual(again.list("gate"), [added.artifact]);
  assert.deepEqual(again.list("other"), []);
});

test("tells its watchers of a new module, and of the same one again nothing", async (t) => {
  const catalog = await openCatalog({ directory: await folder(t), ...limits });
  const seen: number[] = [];
  catalog.watch((artifacts) => seen.push(artifacts.size));
  await Promise.all([1, 2, 1].map((number) => catalog.add({ filter: "gate", wasm: version(number) })));
  assert.deepEqual(seen, [1, 2]);
});

test("refuses what is too large, too many or cannot run, and keeps nothing of it", async (t) => {
  const directory = await folder(t);
  const catalog = await openCatalog({ directory, maxModuleBytes: 200, maxArtifacts: 1 });
  const refusal = async (wasm: Uint8Array): Promise<string> => {
    const result = await catalog.add({ filter: "gate", wasm });
    return result.ok ? "" : result.causes.join();
  };
  assert.match(await refusal(new Uint8Array(201)), /has 201 bytes; at most 200 are taken/);
  assert.match(await refusal(Uint8Array.from([1, 2, 3, 4])), /is not a WebAssembly module/);
  assert.deepEqual(await readdir(directory), []);
  assert.equal(await refusal(version(1)), "");
  assert.match(await refusal(version(2)), /there is no room: 1 modules are kept/);
});

test("leaves out a file that was changed, and says which", async (t) => {
  const directory = await folder(t);
  const added = await (await openCatalog({ directory, ...limits })).add({ filter: "gate", wasm: version(1) });
  assert.ok(added.ok);
  await writeFile(join(directory, `${added.artifact.sha256}.wasm`), version(2));
  const catalog = await openCatalog({ directory, ...limits });
  assert.equal(catalog.get().size, 0);
  assert.match(catalog.faults.join(), /\.wasm of filter "gate": the file has the sha256 .*; upload the module again/);
});

test("says that its index cannot be read, and starts without modules", async (t) => {
  const directory = await folder(t);
  await writeFile(join(directory, "index.json"), '{"artifacts": [{"sha256": "../../etc/passwd"}]}');
  const catalog = await openCatalog({ directory, ...limits });
  assert.match(catalog.faults.join(), /Cannot read .*index\.json: a row of it lacks/);
});

test("asks a module about a configuration", async (t) => {
  const catalog = await openCatalog({ directory: await folder(t), ...limits });
  const picky = handMade({
    functions: {
      ...least,
      // Answers whether there is a configuration: its second argument, the size.
      proxy_on_configure: { signature: "i32 i32 -> i32", body: [0x20, 0x01] },
    },
  });
  const added = await catalog.add({ filter: "picky", wasm: picky });
  assert.ok(added.ok);
  assert.deepEqual(await catalog.checkConfiguration(added.artifact.sha256, "{}"), []);
  assert.match((await catalog.checkConfiguration(added.artifact.sha256, "")).join(), /refuses the configuration/);
  assert.match((await catalog.checkConfiguration("0".repeat(64), "")).join(), /no module with sha256 0{64}/);
});

async function folder(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "chancery-artifacts-"));
  t.after(() => rm(directory, { recursive: true, force: true }));
  return directory;
}
