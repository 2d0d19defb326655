import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { resourceTypes } from "./resource-types.ts";

test("docs/ARCHITECTURE.md tells the push order of all types", () => {
  const page = readFileSync(new URL("../../../docs/ARCHITECTURE.md", import.meta.url), "utf8");
  const told = /push order: ((?:[A-Z]+, )+[A-Z]+)\./.exec(page)?.[1];
  assert.equal(told, resourceTypes.map(({ shortName }) => shortName).join(", "));
});
