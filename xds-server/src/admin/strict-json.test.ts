import assert from "node:assert/strict";
import { test } from "node:test";
import { findJsonFaults } from "./strict-json.ts";

const cases: readonly [text: string, faults: readonly (readonly [string, string])[]][] = [
  ['{"a":1,"b":{"a":1},"c":[{"a":1},{"a":2}]}', []],
  ['{"a":"}{\\"a\\":1","b":"[,]"}', []],
  ['"a"', []],
  ['{"a":1,"a":2}', [["duplicate-key", "a"]]],
  ['{"a":[{},{"b":1, "c":2 ,"b":3}]}', [["duplicate-key", "a[1].b"]]],
  ['{"a":1,"\\u0061":2}', [["duplicate-key", "a"]]],
  [
    '{"x":{"__proto__":1,"__proto__":2}}',
    [
      ["forbidden-key", "x.__proto__"],
      ["duplicate-key", "x.__proto__"],
      ["forbidden-key", "x.__proto__"],
    ],
  ],
  ["[[[[[[[1]]]]]]]", [["too-deep", "[0][0][0][0][0]"]]],
];

for (const [text, faults] of cases) {
  test(`finds ${JSON.stringify(faults)} in ${text}`, () => {
    assert.deepEqual(
      findJsonFaults(text, 6).map(({ what, path }) => [what, path]),
      faults,
    );
  });
}
