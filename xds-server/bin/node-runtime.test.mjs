import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { cacheFolder, fetchedVersion, isSupported, oldestSupported } from "./node-runtime.mjs";

/** Fetches a Node with an npm that is a shell script of these lines. Without lines there is no npm. */
function fetchWith(t, npmLines) {
  const folder = mkdtempSync(join(tmpdir(), "chancery-node-"));
  t.after(() => rmSync(folder, { recursive: true }));
  if (npmLines !== undefined) {
    writeFileSync(join(folder, "npm"), ["#!/bin/sh", ...npmLines, ""].join("\n"));
    chmodSync(join(folder, "npm"), 0o755);
  }
  const cache = join(folder, "cache");
  const runtime = JSON.stringify(new URL("./node-runtime.mjs", import.meta.url));
  const script = `
    const { supportedNode } = await import(${runtime});
    const { reportFailure } = await import(new URL("./progress.mjs", ${runtime}));
    await supportedNode().then(console.log, reportFailure);`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
    encoding: "utf8",
    env: { PATH: `${folder}:${npmLines === undefined ? "" : "/usr/bin:/bin"}`, CHANCERY_CACHE: cache },
  });
  return { status, stdout: stdout.trim(), stderr, cache };
}

test("knows which versions of Node are supported", () => {
  assert.equal(oldestSupported, "22.18");
  const supported = ["v18.20.0", "v20.20.2", "v22.17.9", "v22.18.0", "v24.0.0", `v${fetchedVersion}`].filter(
    (version) => isSupported(version),
  );
  assert.deepEqual(supported, ["v22.18.0", "v24.0.0", `v${fetchedVersion}`]);
});

test("keeps fetched programs in the user's cache, or in the folder CHANCERY_CACHE", () => {
  assert.equal(cacheFolder({ CHANCERY_CACHE: "/a", XDG_CACHE_HOME: "/b" }), "/a");
  assert.equal(cacheFolder({ CHANCERY_CACHE: "", XDG_CACHE_HOME: "/b" }), "/b/chancery");
  assert.match(cacheFolder({}), /\.cache\/chancery$/);
});

test("fetches a Node with npm into the cache, and leaves nothing else there", (t) => {
  const node = `node_modules/node-${process.platform}-${process.arch}/bin`;
  const { status, stdout, stderr, cache } = fetchWith(t, [
    `mkdir -p ${node}`,
    `printf '#!/bin/sh\\necho v${fetchedVersion}\\n' > ${node}/node`,
    `chmod 755 ${node}/node`,
  ]);
  assert.equal(status, 0, stderr);
  assert.deepEqual(readdirSync(cache), [`node-${fetchedVersion}-${process.platform}-${process.arch}`]);
  assert.ok(existsSync(stdout) && stdout.startsWith(cache));
  assert.match(stderr, /Fetching Node .* from npm: done in/);
});

const failures = [
  ["there is no npm", undefined, /error: Cannot fetch Node .*: npm is not on the PATH/],
  ["there is no network", ["echo 'npm error code ENOTFOUND' >&2; exit 1"], /the npm registry cannot be reached/],
  ["the disk is full", ["echo 'npm error code ENOSPC' >&2; exit 1"], /the disk is full/],
  ["npm installs something else", ["exit 0"], /does not run on this system/],
  [
    "npm fails for another reason",
    ["echo 'npm error strange' >&2; exit 7"],
    /npm ended with code 7\nnpm error strange/,
  ],
];

for (const [name, npmLines, sentence] of failures) {
  test(`says so when ${name}, and leaves nothing behind`, (t) => {
    const { status, stdout, stderr, cache } = fetchWith(t, npmLines);
    assert.equal(status, 1);
    assert.equal(stdout, "");
    assert.match(stderr, sentence);
    assert.deepEqual(readdirSync(cache), []);
  });
}
