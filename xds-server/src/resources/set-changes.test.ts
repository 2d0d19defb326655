import assert from "node:assert/strict";
import { test } from "node:test";
import { resourceType } from "./resource-types.ts";
import { changesBetween, noteChanges } from "./set-changes.ts";
import type { Resource, ResourceSet } from "./snapshot.ts";

const { typeUrl } = resourceType("EDS");
const resource = (name: string, version: string): Resource => ({
  typeUrl,
  name,
  version,
  body: new Uint8Array(),
  rewarms: [],
});
const setOf = (...entries: readonly [name: string, version: string][]): ResourceSet =>
  new Map(entries.map(([name, version]) => [name, resource(name, version)]));

test("finds exactly the new, changed and removed resources", () => {
  const before = setOf(["a", "1"], ["b", "1"], ["c", "1"]);
  const after = setOf(["d", "1"], ["a", "1"], ["b", "2"]);
  assert.deepEqual(changesBetween(before, after), {
    changed: [resource("d", "1"), resource("b", "2")],
    removed: ["c"],
  });
  assert.deepEqual(changesBetween(after, before), {
    changed: [resource("b", "1"), resource("c", "1")],
    removed: ["d"],
  });
});

test("finds no change between a set and itself, or one with the same versions", () => {
  const before = setOf(["a", "1"]);
  assert.deepEqual(changesBetween(before, before), { changed: [], removed: [] });
  assert.deepEqual(changesBetween(before, setOf(["a", "1"])), { changed: [], removed: [] });
});

test("compares two sets only once, and not at all when their changes were noted", () => {
  const before = setOf(["a", "1"], ["b", "1"]);
  const after = setOf(["a", "2"]);
  const found = changesBetween(before, after);
  assert.equal(changesBetween(before, after), found);

  const later = setOf(["a", "3"]);
  const noted = { changed: [...later.values()], removed: [] };
  noteChanges(after, later, noted);
  assert.equal(changesBetween(after, later), noted);
  assert.notEqual(changesBetween(before, later), noted);
});
