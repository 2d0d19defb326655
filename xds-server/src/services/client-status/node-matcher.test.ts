import assert from "node:assert/strict";
import { test } from "node:test";
import { fromJson, type JsonObject } from "@bufbuild/protobuf";
import { NodeMatcherSchema } from "xds-proto-ts/envoy/type/matcher/v3/node";
import { CallFault } from "../../grpc/status.ts";
import { nodeTest } from "./node-matcher.ts";

const edge = {
  id: "edge-1",
  metadata: { team: "shop", size: 3, canary: false, gone: null, tags: ["a", "b"], deep: { er: { tier: "gold" } } },
};
/** Matchers as proto-JSON. */
const matches = (...matchers: JsonObject[]): boolean =>
  nodeTest(matchers.map((matcher) => fromJson(NodeMatcherSchema, matcher)))(edge);
const byMetadata = (path: readonly string[], value: JsonObject) => ({
  nodeMetadatas: [{ path: path.map((key) => ({ key })), value }],
});

test("an empty list matches every node, and a list matches when one of its matchers does", () => {
  assert.equal(matches(), true);
  assert.equal(matches({}), true);
  assert.equal(matches({ nodeId: { exact: "x" } }, { nodeId: { exact: "edge-1" } }), true);
  assert.equal(matches({ nodeId: { exact: "x" } }, { nodeId: { exact: "y" } }), false);
});

test("a node id matches exactly, by prefix, suffix or substring, with or without case, or by a whole RE2 match", () => {
  const cases: readonly (readonly [JsonObject, boolean])[] = [
    [{ exact: "edge-1" }, true],
    [{ exact: "EDGE-1" }, false],
    [{ exact: "EDGE-1", ignoreCase: true }, true],
    [{ prefix: "edge-" }, true],
    [{ prefix: "1" }, false],
    [{ suffix: "-1" }, true],
    [{ suffix: "edge" }, false],
    [{ contains: "ge-" }, true],
    [{ contains: "eg" }, false],
    [{ safeRegex: { regex: "edge-\\d" } }, true],
    [{ safeRegex: { regex: "edge" } }, false],
    [{}, false],
  ];
  for (const [nodeId, expected] of cases) assert.equal(matches({ nodeId }), expected, JSON.stringify(nodeId));
});

test("metadata matches by path and kind of value; an absent value matches only a matcher for absence", () => {
  const text = (exact: string) => ({ stringMatch: { exact } });
  const cases: readonly (readonly [readonly string[], JsonObject, boolean])[] = [
    [["team"], text("shop"), true],
    [["team"], text("pay"), false],
    [["size"], text("3"), false],
    [["deep", "er", "tier"], text("gold"), true],
    [["deep", "tier"], text("gold"), false],
    [["tags", "0"], text("a"), false],
    [["constructor"], { presentMatch: true }, false],
    [["size"], { doubleMatch: { exact: 3 } }, true],
    [["size"], { doubleMatch: { range: { start: 1, end: 3 } } }, false],
    [["size"], { doubleMatch: { range: { start: 3, end: 4 } } }, true],
    [["canary"], { boolMatch: false }, true],
    [["canary"], { boolMatch: true }, false],
    [["gone"], { nullMatch: {} }, true],
    [["never"], { nullMatch: {} }, false],
    [["team"], { presentMatch: true }, true],
    [["gone"], { presentMatch: true }, true],
    [["deep"], { presentMatch: true }, false],
    [["deep"], { presentMatch: false }, false],
    [["never"], { presentMatch: false }, true],
    [["tags"], { listMatch: { oneOf: text("b") } }, true],
    [["tags"], { listMatch: { oneOf: text("c") } }, false],
    [["team"], { orMatch: { valueMatchers: [text("pay"), text("shop")] } }, true],
    [["team"], { orMatch: { valueMatchers: [text("pay"), text("mail")] } }, false],
    [["team"], {}, false],
  ];
  for (const [path, value, expected] of cases)
    assert.equal(matches(byMetadata(path, value)), expected, `${path} ${JSON.stringify(value)}`);
});

test("a matcher matches only when all its conditions hold", () => {
  const team = byMetadata(["team"], { stringMatch: { exact: "shop" } });
  assert.equal(matches({ nodeId: { prefix: "edge" }, ...team }), true);
  assert.equal(matches({ nodeId: { prefix: "gate" }, ...team }), false);
});

test("a pattern that is not RE2 and a matcher extension are faults", () => {
  for (const nodeId of [{ safeRegex: { regex: "(?=x)" } }, { custom: { name: "lua" } }])
    assert.throws(() => matches({ nodeId }), CallFault);
});
