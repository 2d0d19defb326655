import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
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

async function filter(t: TestContext, index: string) {
  const folder = await mkdtemp(join(tmpdir(), "chancery-kept-"));
  t.after(() => rm(folder, { recursive: true }));
  const [directory, cache] = [join(folder, "filter"), join(folder, "cache")];
  await mkdir(join(directory, "assembly"), { recursive: true });
  await writeFile(join(directory, "assembly/index.ts"), index);
  const options = { directory, source: 'export * from "./assembly/index";\n', maximumMemoryPages: 16 };
  return {
    directory,
    compiled: () => compileOnce(options, cache),
    keptModules: () => readdir(join(cache, "built/filter-modules")),
  };
}
