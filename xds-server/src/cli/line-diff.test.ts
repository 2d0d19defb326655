import assert from "node:assert/strict";
import { test } from "node:test";
import { yamlDiff } from "./line-diff.ts";

const shown = (before: unknown, after: unknown) => yamlDiff(before, after).map(({ sign, text }) => `${sign}${text}`);

test("shows changed lines with the lines around them, and no others", () => {
  const before = Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`key${index}`, index]));
  assert.deepEqual(shown(before, { ...before, key5: "five" }), [
    " key2: 2",
    " key3: 3",
    " key4: 4",
    "-key5: 5",
    "+key5: five",
    " key6: 6",
    " key7: 7",
    " key8: 8",
  ]);
});

test("shows all lines of a created or deleted value, and none of equal values", () => {
  assert.deepEqual(shown(undefined, { a: 1, b: 2 }), ["+a: 1", "+b: 2"]);
  assert.deepEqual(shown({ a: 1 }, undefined), ["-a: 1"]);
  assert.deepEqual(shown({ a: 1 }, { a: 1 }), []);
});

test("shows a line inserted between equal ones as added", () => {
  assert.deepEqual(shown(["a", "b", "c"], ["a", "x", "c", "d"]), [" - a", "-- b", "+- x", " - c", "+- d"]);
});
