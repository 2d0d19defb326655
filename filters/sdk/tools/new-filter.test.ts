import assert from "node:assert/strict";
import { access, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { readManifest } from "./manifest.ts";
import { newFilter } from "./new-filter.ts";

test("creates a folder where the filter's name replaces the template's name everywhere", async (t) => {
  const directory = join(await folder(t), "made");
  const made = await newFilter(directory, "door-keeper.2");
  assert.deepEqual(made, {
    ok: true,
    files: [
      "README.md",
      "assembly/index.ts",
      "assembly/tsconfig.json",
      "config.json",
      "config.schema.json",
      "package.json",
      "test/door-keeper.2.test.ts",
    ],
  });
  const files = (await readdir(directory, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  for (const { parentPath, name } of files) {
    assert.doesNotMatch(await readFile(join(parentPath, name), "utf8"), /my.?filter/i, name);
  }
  const source = await readFile(join(directory, "assembly", "index.ts"), "utf8");
  assert.match(source, /class DoorKeeper2 extends RootContext[\s\S]*"door-keeper\.2"/);
  const read = await readManifest(directory);
  assert.deepEqual(read.ok && [read.manifest.name, read.manifest.version], ["door-keeper.2", "0.1.0"]);
  const settings = JSON.parse(await readFile(join(directory, "assembly", "tsconfig.json"), "utf8"));
  const library = settings.compilerOptions.paths["@chancery/filter-sdk"][0];
  for (const path of [settings.extends, library]) await access(join(directory, "assembly", path));
});

test("creates nothing for a bad name, and nothing in a folder that is not empty", async (t) => {
  const directory = await folder(t);
  assert.match(errorOf(await newFilter(join(directory, "a"), "../up")), /A filter's name may have .*it is "\.\.\/up"/);
  await newFilter(directory, "first");
  assert.match(errorOf(await newFilter(directory, "second")), /exists and is not empty/);
  assert.deepEqual((await readdir(directory)).includes("a"), false);
});

function errorOf(made: Awaited<ReturnType<typeof newFilter>>): string {
  return made.ok ? "" : made.error;
}

async function folder(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "chancery-new-"));
  t.after(() => rm(directory, { recursive: true, force: true }));
  return directory;
}
