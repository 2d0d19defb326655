import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { defaultLimits } from "./limits.ts";

test("docs/LIMITS.md lists every limit with its default", () => {
  const page = readFileSync(new URL("../../../docs/LIMITS.md", import.meta.url), "utf8");
  const listed = [...page.matchAll(/^\| `(\w+)` +\| (\d+) +\|/gm)].map(([, name, value]) => [name, Number(value)]);
  assert.deepEqual(Object.fromEntries(listed), defaultLimits);
  assert.equal(listed.length, Object.keys(defaultLimits).length, "each limit once");
});
