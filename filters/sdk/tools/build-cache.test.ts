import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, truncate, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
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

/** What can happen to a kept result, from a disk fault to a removal that was interrupted. */
const damages: Readonly<Record<string, (folder: string) => Promise<void>>> = {
  "a file with another content": (folder) => writeFile(join(folder, "content"), "b"),
  "a truncated file": (folder) => truncate(join(folder, "content")),
  "a file that is gone": (folder) => rm(join(folder, "content")),
  "a file that was not built": (folder) => writeFile(join(folder, "other"), ""),
  "truncated checksums": (folder) => truncate(join(folder, "SHA256SUMS"), 10),
  "no checksums": (folder) => rm(join(folder, "SHA256SUMS")),
  "an empty folder": async (folder) => {
    await rm(folder, { recursive: true });
    await mkdir(folder);
  },
  "a file in place of the folder": async (folder) => {
    await rm(folder, { recursive: true });
    await writeFile(folder, "");
  },
};

for (const [damage, apply] of Object.entries(damages)) {
  test(`builds again instead of ${damage}`, async (t) => {
    const { result, built, cache } = await cacheOf(t);
    await result("a");
    await apply(join(cache, "built", "letters", "a"));
    assert.equal(await result("a"), "a");
    assert.equal(await result("a"), "a");
    assert.deepEqual(built, ["a", "a"]);
    assert.deepEqual(await readdir(join(cache, "built", "letters")), ["a"]);
  });
}

test("two that find the same damage both get the result whole", async (t) => {
  const { result, cache } = await cacheOf(t);
  await result("a");
  await truncate(join(cache, "built", "letters", "a", "content"));
  assert.deepEqual(await Promise.all([result("a"), result("a")]), ["a", "a"]);
});

for (const [place, path] of [
  ["the cache", "cache"],
  ["a folder in the cache", "cache/built"],
] as const) {
  test(`builds without a cache, and warns once, when a file is in place of ${place}`, async (t) => {
    const { cache: folder } = await cacheOf(t);
    const cache = join(folder, "cache");
    if (path !== "cache") await mkdir(cache);
    await writeFile(join(folder, path), "");
    const module = new URL(`./build-cache${extname(import.meta.filename)}`, import.meta.url);
    const script = `
      import { existsSync, readFileSync, writeFileSync } from "node:fs";
      import { kept } from ${JSON.stringify(module.href)};
      for (const key of ["a", "b", "a"]) {
        const identity = { kind: "letters", key, atMost: 2, cache: ${JSON.stringify(cache)} };
        const folder = await kept(identity, async (folder) => writeFileSync(folder + "/content", key));
        console.log(folder, readFileSync(folder + "/content", "utf8"));
      }`;
    const { stdout, stderr, status } = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
      encoding: "utf8",
      env: { ...process.env, TMPDIR: folder },
    });
    assert.equal(status, 0, stderr);
    assert.match(stderr, /^Cannot write to the cache folder ".*\/cache" \(E\w+\), .*: set CHANCERY_CACHE to .*\n$/);
    assert.match(stdout, /^\S+ a\n\S+ b\n\S+ a\n$/);
    assert.deepEqual(await readdir(folder), ["cache"]);
  });
}

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
