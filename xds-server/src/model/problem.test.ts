import assert from "node:assert/strict";
import { test } from "node:test";
import { problemOf, problemText } from "./problem.ts";

test("the text of a problem names as much of the document as is known", () => {
  const fault = { code: "FIELD_MISSING", message: "is needed", path: "name" } as const;
  const place = (document: { readonly kind?: string; readonly name?: string; readonly source?: string }) =>
    problemText(problemOf(fault, document)).split("\n")[1];
  assert.equal(place({ kind: "Cluster", name: "cart" }), '  at Cluster "cart" name');
  assert.equal(place({ kind: "Cluster", source: "shop.yaml:3" }), "  at shop.yaml:3 Cluster name");
  assert.equal(place({ name: "cart" }), '  at document "cart" name');
  assert.equal(place({}), "  at name");
});
