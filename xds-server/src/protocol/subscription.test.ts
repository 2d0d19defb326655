import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { amended, newSubscription, replaced, type Subscription, wants } from "./subscription.ts";

/** What a subscription wants of the names a, b and c. */
const wanted = (sub: Subscription) => ["a", "b", "c"].filter((name) => wants(sub, name)).join("");

describe("a state-of-the-world subscription", () => {
  const cases: [string, string[][], string][] = [
    ["an empty first list means everything", [[]], "abc"],
    ["names mean those names", [["a"]], "a"],
    ["an empty list after names means nothing", [["a"], []], ""],
    ["an empty list after the legacy wildcard still means everything", [[], []], "abc"],
    ["names after the legacy wildcard leave it", [[], ["a"]], "a"],
    ["an explicit wildcard goes with names", [["*", "a"]], "abc"],
    ["leaving the wildcard keeps the names", [["*", "a"], ["a"]], "a"],
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
    ["names add up", [{ add: ["a"] }, { add: ["b"] }], "ab"],
    ["an empty later request changes nothing", [{ add: ["a"] }, {}], "a"],
    ["names after the legacy wildcard go on beside it", [{}, { add: ["a"] }], "abc"],
    ["removing the last name means nothing", [{ add: ["a"] }, { remove: ["a"] }], ""],
    ["removing the wildcard keeps the names", [{}, { add: ["a"] }, { remove: ["*"] }], "a"],
    ["removing a name under the wildcard keeps the wildcard", [{ add: ["*", "a"] }, { remove: ["a"] }], "abc"],
    ["the wildcard can be asked for later", [{ add: ["a"] }, { add: ["*"] }], "abc"],
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
