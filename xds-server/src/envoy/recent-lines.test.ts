import assert from "node:assert/strict";
import { test } from "node:test";
import { RecentLines } from "./recent-lines.ts";

test("keeps the newest lines, wherever the pieces of text are cut", () => {
  const lines = new RecentLines(2);
  for (const piece of ["one\ntw", "o\nthree", "\nfo", "ur"]) lines.push(piece);
  assert.deepEqual(lines.all(), ["two", "three", "four"]);
});

test("keeps only the beginning of a very long line", () => {
  const lines = new RecentLines(2);
  for (let i = 0; i < 100; i++) lines.push("x".repeat(100));
  assert.equal(lines.all()[0]?.length, 2000);
});
