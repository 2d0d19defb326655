import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { type LongResult, pageWith } from "./long-results.ts";
import { longSuites } from "./long-suites.ts";

const root = path.join(import.meta.dirname, "../../..");

for (const { name, file, variable } of longSuites) {
  test(`${name} reads its figure from ${variable}`, () => {
    assert.ok(readFileSync(path.join(root, file), "utf8").includes(`process.env["${variable}"]`), file);
  });
}

test("no two suites have the same name", () => {
  assert.equal(new Set(longSuites.map(({ name }) => name)).size, longSuites.length);
});

test("npm run test:long lists the suites when one does not exist", () => {
  const args = [path.join(root, "tools/development/src/test-long.ts"), "model", "modell"];
  const { status, stdout } = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" });
  assert.equal(status, 2);
  assert.match(stdout, /^Cannot run "modell": .*\nSuites are: model, /);
});

test("the page keeps the last result of each suite", () => {
  const result = (suite: string, measured: string): LongResult => ({
    suite,
    figure: "1,000 runs",
    passed: measured !== "late",
    measured,
    took: "9 s",
    date: "2026-11-30",
    commit: "abcdef0",
    machine: "2 cores",
  });
  let page = "";
  for (const [suite, measured] of [
    ["b", "one"],
    ["a", "a | b\nc"],
    ["b", "late"],
  ] as const)
    page = pageWith(page, result(suite, measured));
  assert.deepEqual(page.split("\n").slice(-3), [
    "| a | 1,000 runs | passed | a \\| b c | 9 s | 2026-11-30 | abcdef0 | 2 cores |",
    "| b | 1,000 runs | **failed** | late | 9 s | 2026-11-30 | abcdef0 | 2 cores |",
    "",
  ]);
  assert.equal(page.match(/^\| suite/gm)?.length, 1);
});
