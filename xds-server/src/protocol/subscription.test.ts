import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { amended, newSubscription, replaced, type Subscription, wants } from "./subscription.ts";

/** Those of the names a, b and c that the subscription wants. */
const wanted = (sub: Subscription) => ["a", "b", "c"].filter((name) => wants(sub, name)).join("");

describe("a state-of-the-world subscription", () => {
  const cases: [string, string[][], string][] = [
    ["an empty first list means everything", [[]], "abc"],
    ["names mean those names", [["a"]], "a"],
    ["an empty list after names means nothing", [["a"], []], ""],
    ["an empty list after the legacy wildcard still means everything", [[], []], "abc"],
    ["names after the legacy wildcard end it", [[], ["a"]], "a"],
    ["an explicit wildcard may stand beside names", [["*", "a"]], "abc"],
    ["a list without the wildcard keeps its names", [["*", "a"], ["a"]], "a"],
    ["an empty list after an explicit wildcard means nothing", [["*"], []], ""],
  ];
  for (const [behaviour, lists, expected] of cases) {
    test(behaviour, () => assert.equal(wanted(lists.reduce(replaced, newSubscription)), expected));
  }
});

describe("a delta subscription", () => {
  const cases: [string, { add?: string[]; remove?: string[] }[], string][] = [
    ["an empty first request means everything", [{}], "abc"],
    ["names mean those names", [{ add: ["a"] }], "a"],
    ["later names are added", [{ add: ["a"] }, { add: ["b"] }], "ab"],
    ["an empty later request changes nothing", [{ add: ["a"] }, {}], "a"],
    ["names after the legacy wildcard are added to it", [{}, { add: ["a"] }], "abc"],
    ["removing the last name means nothing", [{ add: ["a"] }, { remove: ["a"] }], ""],
    ["removing the wildcard keeps the names", [{}, { add: ["a"] }, { remove: ["*"] }], "a"],
    ["removing a name under the wildcard keeps the wildcard", [{ add: ["*", "a"] }, { remove: ["a"] }], "abc"],
    ["the wildcard can be added later", [{ add: ["a"] }, { add: ["*"] }], "abc"],
  ];
  for (const [behaviour, requests, expected] of cases) {
    test(behaviour, () => {
      const sub = requests.reduce(
        (current, { add = [], remove = [] }, index) =>
          amended(current, { added: add, removed: remove, first: index === 0 }),
        newSubscription,
      );
      assert.equal(wanted(sub), expected);
    });
  }
});
