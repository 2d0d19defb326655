import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { cacheFolder, kept } from "./build-cache.ts";

test("builds once for a key, and again for another one", async (t) => {
  const { result, built } = await cacheOf(t);
  assert.equal(await result("a"), "a");
  assert.equal(await result("a"), "a");
  assert.equal(await result("b"), "b");
  assert.deepEqual(built, ["a", "b"]);
});

test("two that build the same at a time both get it whole", async (t) => {
  const { result, cache } = await cacheOf(t);
  assert.deepEqual(await Promise.all([result("a"), result("a")]), ["a", "a"]);
  assert.deepEqual(await readdir(join(cache, "built", "letters")), ["a"]);
});

test("keeps nothing of a build that fails", async (t) => {
  const { cache } = await cacheOf(t);
  const failing = kept({ kind: "letters", key: "a", atMost: 2, cache }, async (folder) => {
    await writeFile(join(folder, "half"), "");
    throw new Error("no compiler");
  });
  await assert.rejects(failing, /no compiler/);
  assert.deepEqual(await readdir(join(cache, "built", "letters")), []);
});

test("removes what was unused for longest", async (t) => {
  const { result, cache } = await cacheOf(t);
  const results = join(cache, "built", "letters");
  for (const [index, key] of ["a", "b"].entries()) {
    await result(key);
    await utimes(join(results, key), index + 1, index + 1);
  }
  await result("a");
  await result("c");
  assert.deepEqual((await readdir(results)).sort(), ["a", "c"]);
});

test("lies where the environment says, or in the home folder", () => {
  assert.equal(cacheFolder({ CHANCERY_CACHE: "/one", XDG_CACHE_HOME: "/two" }), "/one");
  assert.equal(cacheFolder({ CHANCERY_CACHE: "", XDG_CACHE_HOME: "/two" }), join("/two", "chancery"));
  assert.match(cacheFolder({}), /\.cache.chancery$/);
});

/** A cache of two results at most; `built` has the keys that were built. */
async function cacheOf(t: TestContext) {
  const cache = await mkdtemp(join(tmpdir(), "chancery-cache-"));
  t.after(() => rm(cache, { recursive: true }));
  const built: string[] = [];
  const result = async (key: string): Promise<string> => {
    const folder = await kept({ kind: "letters", key, atMost: 2, cache }, async (unfinished) => {
      built.push(key);
      await writeFile(join(unfinished, "content"), key);
    });
    return readFile(join(folder, "content"), "utf8");
  };
  return { cache, built, result };
}
