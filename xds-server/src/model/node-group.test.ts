import assert from "node:assert/strict";
import { test } from "node:test";
import { Mesh } from "./mesh.ts";
import { globMatches, type NodeGroupSpec, nodeGroupOf } from "./node-group.ts";

const node = {
  id: "edge-1",
  cluster: "edge",
  metadata: { tier: "front", replicas: 3, canary: true, nested: {} },
  locality: { region: "eu", zone: "eu-1", subZone: "" },
};

const group = (name: string, match: NodeGroupSpec["match"]) => ({ kind: "NodeGroup" as const, name, spec: { match } });

const cases: readonly [match: NodeGroupSpec["match"], matches: boolean][] = [
  [{ ids: ["edge-1"] }, true],
  [{ ids: ["api-*", "edge-*"] }, true],
  [{ ids: ["edge-?"] }, true],
  [{ ids: ["edge"] }, false],
  [{ ids: ["edge-*"], clusters: ["api"] }, false],
  [{ clusters: ["ed*"], locality: { region: "eu", zone: "eu-1" } }, true],
  [{ locality: { region: "us" } }, false],
  [{ locality: { subZone: "a" } }, false],
  [{ metadata: { tier: "front", replicas: "3", canary: "true" } }, true],
  [{ locality: { region: "e?", zone: "eu-*" } }, true],
  [{ metadata: { tier: "fr*", replicas: "?" } }, true],
  [{ metadata: { absent: "*" } }, false],
  [{ metadata: { tier: "back" } }, false],
  [{ metadata: { toString: "x" } }, false],
  [{ metadata: { nested: "[object Object]" } }, false],
];

for (const [match, matches] of cases) {
  test(`${JSON.stringify(match)} ${matches ? "matches" : "does not match"} the node`, () => {
    assert.equal(nodeGroupOf(node, Mesh.of([group("g", match)]).all("NodeGroup")), matches ? "g" : "default");
  });
}

test("a node belongs to the first matching group by name, in any order of documents", () => {
  const mesh = Mesh.of([group("b", { ids: ["*"] }), group("a", { ids: ["edge-*"] }), group("0", { ids: ["x"] })]);
  assert.equal(nodeGroupOf(node, mesh.all("NodeGroup")), "a");
});

test("globs match, and a hostile glob takes little time", () => {
  assert.ok(globMatches("*", ""));
  assert.ok(globMatches("a*b*c", "a--b--b--c"));
  assert.ok(!globMatches("a*b", "a-b-"));
  assert.ok(!globMatches("?", ""));
  const started = performance.now();
  assert.ok(!globMatches(`${"*a".repeat(500)}b`, "a".repeat(1000)));
  assert.ok(performance.now() - started < 1000);
});
