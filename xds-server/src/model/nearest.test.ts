import assert from "node:assert/strict";
import { test } from "node:test";
import { nearest } from "./nearest.ts";

const cases: readonly [written: string, candidates: readonly string[], meant: string | undefined][] = [
  ["cratc", ["cart", "catalog"], undefined],
  ["crat", ["cart", "catalog"], "cart"],
  ["Cart", ["cart"], "cart"],
  ["catalogue", ["cart", "catalog"], "catalog"],
  ["cart-v3", ["cart", "cart-v2"], "cart-v2"],
  ["a", ["b"], "b"],
  ["pay", ["cart", "catalog"], undefined],
  ["", ["a"], "a"],
  ["x", [], undefined],
  ["y".repeat(300), ["y".repeat(299)], undefined],
];

for (const [written, candidates, meant] of cases) {
  test(`"${written.slice(0, 20)}" among ${JSON.stringify(candidates).slice(0, 40)} means ${meant ?? "nothing"}`, () => {
    assert.equal(nearest(written, candidates), meant);
  });
}
