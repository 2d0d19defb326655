import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { compileOnce } from "./kept-modules.ts";

test("a module is compiled once for its sources, and again when one of them changes", async (t) => {
  const { directory, compiled, keptModules } = await filter(t, "export function one(): i32 { return 1; }\n");
  const first = await compiled();
  assert.ok(first.ok);
  const [kept = ""] = await keptModules();
  assert.deepEqual(await compiled(), first);
  assert.deepEqual(await keptModules(), [kept]);
  await writeFile(join(directory, "assembly/index.ts"), "export function one(): i32 { return 2; }\n");
  const changed = await compiled();
  assert.ok(changed.ok);
  assert.notDeepEqual(changed.wasm, first.wasm);
  assert.equal((await keptModules()).length, 2);
});

test("errors are not kept, nor is a module with sources from outside of its folder", async (t) => {
  const { directory, compiled, keptModules } = await filter(t, 'export { two } from "../shared";\n');
  assert.match((await compiled()).ok ? "" : "not found", /not found/);
  await writeFile(join(directory, "shared.ts"), "export function two(): i32 { return 2; }\n");
  assert.equal((await compiled()).ok, true);
  assert.deepEqual(await keptModules(), []);
});

test("a damaged module is compiled again", async (t) => {
  const { compiled, keptModules, modules } = await filter(t, "export function one(): i32 { return 1; }\n");
  const { wasm, map } = await compiled().then((first) => (first.ok ? first : assert.fail()));
  const [kept = ""] = await keptModules();
  const path = join(modules, kept, "module.wasm");
  const content = await readFile(path);
  content.writeUInt8(content.readUInt8(content.length - 1) ^ 1, content.length - 1);
  await writeFile(path, content);
  assert.partialDeepStrictEqual(await compiled(), { ok: true, wasm, map });
  await truncate(join(modules, kept, "module.json"), 5);
  assert.partialDeepStrictEqual(await compiled(), { ok: true, wasm, map });
  assert.deepEqual(await keptModules(), [kept]);
});

async function filter(t: TestContext, index: string) {
  const folder = await mkdtemp(join(tmpdir(), "chancery-kept-"));
  t.after(() => rm(folder, { recursive: true }));
  const [directory, cache] = [join(folder, "filter"), join(folder, "cache")];
  await mkdir(join(directory, "assembly"), { recursive: true });
  await writeFile(join(directory, "assembly/index.ts"), index);
  const modules = join(cache, "built/filter-modules");
  const options = { directory, source: 'export * from "./assembly/index";\n', maximumMemoryPages: 16 };
  return {
    directory,
    compiled: () => compileOnce(options, cache),
    modules,
    keptModules: () => readdir(modules),
  };
}
