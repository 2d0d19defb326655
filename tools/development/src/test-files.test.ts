import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { compiled, testFiles } from "./test-files.ts";

const root = path.join(import.meta.dirname, "../../..");

test("slow tests and all of integration/ run only on demand", () => {
  const fast = testFiles({ root, folders: ["."], slow: false });
  const all = testFiles({ root, folders: ["."], slow: true });
  assert.ok(fast.run.includes("tools/development/src/test-files.test.ts"));
  assert.deepEqual([...fast.run, ...fast.left].sort(), all.run);
  assert.ok(fast.left.length > 0 && fast.left.every((file) => /\.slow\.test\.ts$|^integration\//.test(file)));
  assert.deepEqual(all.left, []);
});

test("a test is found once, in its own folder", () => {
  const { run } = testFiles({ root, folders: ["xds-server/src/compile", "xds-server/src"], slow: true });
  assert.equal(new Set(run).size, run.length);
  assert.ok(run.every((file) => file.startsWith("xds-server/src/") && existsSync(path.join(root, file))));
});

test("a compiled test is in the output folder of its project", () => {
  const files = ["xds-server/src/cli/a.test.ts", "filters/redact/test/a.test.ts", "filters/sdk/tools/a.test.ts"];
  assert.deepEqual(files.map(compiled), [
    "xds-server/dist/cli/a.test.js",
    "filters/redact/dist/a.test.js",
    "filters/sdk/dist/a.test.js",
  ]);
});
