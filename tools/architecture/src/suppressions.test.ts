import assert from "node:assert/strict";
import { test } from "node:test";
import { forbiddenSuppressions } from "./suppressions.ts";

const ofBorders = [
  "biome-ignore lint/style/noRestrictedImports: x",
  "biome-ignore lint/style/noRestrictedGlobals: x",
  "biome-ignore lint/suspicious/noImportCycles: x",
  "biome-ignore lint/plugin: x",
  "biome-ignore lint/plugin/pure: x",
  "biome-ignore lint/style: x",
  "biome-ignore lint: x",
  "biome-ignore-all lint/style: x",
  "biome-ignore-all lint/suspicious/noExplicitAny: x",
  "biome-ignore-start lint/style/noRestrictedImports: x",
  "biome-ignore  lint/style/noRestrictedImports: x",
  "biome-ignore\tlint/style/noRestrictedImports: x",
  "biome-ignore lint/suspicious/noExplicitAny  lint/style/noRestrictedImports: x",
  "biome-ignore",
];

for (const comment of ofBorders) {
  test(`finds ${JSON.stringify(comment)} in any file`, () => {
    assert.deepEqual(forbiddenSuppressions(`a();\n  // ${comment}\nb();`, { pure: false }), [comment]);
  });
}

test("allows to suppress one rule that is no border, except in a pure room", () => {
  const comment = "biome-ignore lint/suspicious/noExplicitAny: the library says so";
  assert.deepEqual(forbiddenSuppressions(`// ${comment}`, { pure: false }), []);
  assert.deepEqual(forbiddenSuppressions(`// ${comment}`, { pure: true }), [comment]);
});
