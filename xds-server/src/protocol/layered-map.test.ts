import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { LayeredMap } from "./layered-map.ts";
import { NameSet } from "./name-set.ts";

const key = fc.integer({ min: 0, max: 60 }).map(String);
const changes = fc.array(fc.array(fc.tuple(key, fc.option(fc.nat(3), { nil: undefined })), { maxLength: 40 }), {
  maxLength: 30,
});

describe("a layered map", () => {
  test("equals a plain map after the same changes, and leaves earlier copies unchanged", () => {
    fc.assert(
      fc.property(changes, (rounds) => {
        const plain = new Map<string, number>();
        const copies: [LayeredMap<string, number>, Map<string, number>][] = [];
        let map = LayeredMap.of<string, number>();
        for (const round of rounds) {
          map = map.with(round);
          for (const [name, value] of round) {
            if (value === undefined) plain.delete(name);
            else plain.set(name, value);
          }
          copies.push([map, new Map(plain)]);
        }
        for (const [copy, expected] of copies) {
          assert.deepEqual(new Map(copy), expected);
          assert.equal(copy.size, expected.size);
          for (let n = 0; n <= 60; n += 1) assert.equal(copy.get(String(n)), expected.get(String(n)));
        }
      }),
    );
  });

  test("removes a key only once when one change names it twice", () => {
    const map = LayeredMap.of<string, number>().with([["a", 1]]);
    const after = map.with([
      ["a", undefined],
      ["a", undefined],
    ]);
    assert.deepEqual([after.size, after.get("a")], [0, undefined]);
  });

  test("returns itself when a change has no effect", () => {
    const map = LayeredMap.of([["a", 1]]);
    assert.equal(
      map.with([
        ["a", 1],
        ["b", undefined],
      ]),
      map,
    );
  });
});

describe("a set of names", () => {
  test("equals any other set with the same names, whatever their order", () => {
    fc.assert(
      fc.property(changes, (rounds) => {
        const plain = new Set<string>();
        let names = NameSet.empty;
        for (const round of rounds) {
          const added = round.filter(([, value]) => value !== undefined).map(([name]) => name);
          const removed = round.filter(([, value]) => value === undefined).map(([name]) => name);
          names = names.with({ added, removed });
          for (const name of added) plain.add(name);
          for (const name of removed) plain.delete(name);
        }
        assert.deepEqual(new Set(names), plain);
        assert.ok(names.isSame(NameSet.of([...plain].reverse())));
        assert.ok(!names.isSame(NameSet.of([...plain, "another"])));
      }),
    );
  });
});
