import assert from "node:assert/strict";
import { test } from "node:test";
import type { DescMessage, JsonValue } from "@bufbuild/protobuf";
import fc from "fast-check";
import { AccessLogSchema } from "../../gen/envoy/config/accesslog/v3/accesslog_pb.js";
import { ClusterSchema } from "../../gen/envoy/config/cluster/v3/cluster_pb.js";
import { MetadataSchema } from "../../gen/envoy/config/core/v3/base_pb.js";
import { arbitraryMessage } from "../arbitrary-message.ts";
import { encode } from "../encode.ts";
import { registry } from "../registry.ts";
import { readJson } from "./read.ts";
import type { JsonIssue } from "./reader.ts";
import { toJson } from "./write.ts";

const schemas = [...registry].filter((type) => type.kind === "message" && type.file.proto.syntax === "proto3");

test("reads snake case and camel case alike", () => {
  const snake = readJson(ClusterSchema, {
    name: "cart",
    connect_timeout: "1s",
    load_assignment: { cluster_name: "c" },
  });
  const camel = readJson(ClusterSchema, { name: "cart", connectTimeout: "1s", loadAssignment: { clusterName: "c" } });
  assert.equal(snake.ok, true);
  assert.deepEqual(camel, snake);
});

test("reads null as a field that is not set", () => {
  const reading = readJson(ClusterSchema, { name: "cart", connect_timeout: null, eds_cluster_config: null });
  assert.deepEqual(reading, readJson(ClusterSchema, { name: "cart" }));
});

test("keeps __proto__ as a normal key in a map", () => {
  const reading = readJson(MetadataSchema, JSON.parse('{"filter_metadata": {"__proto__": {"__proto__": 1}}}'));
  assert.ok(reading.ok);
  assert.deepEqual(Object.keys(reading.message.filterMetadata), ["__proto__"]);
  assert.equal(Object.getPrototypeOf(reading.message.filterMetadata), Object.prototype);
});

test("gives the same bytes for any order of keys, inside an Any too", () => {
  const any = (tags: object) => ({
    name: "log",
    typed_config: {
      "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
      path: "/dev/stdout",
      log_format: { json_format: tags },
    },
  });
  const one = readJson(AccessLogSchema, any({ a: 1, b: { c: 1, d: 2 } }));
  const other = readJson(AccessLogSchema, any({ b: { d: 2, c: 1 }, a: 1 }));
  assert.ok(one.ok && other.ok);
  assert.deepEqual(encode(AccessLogSchema, one.message), encode(AccessLogSchema, other.message));
});

test("rejects deep nesting at any depth above the limit", () => {
  let matcher: JsonValue = { any_match: true };
  for (let level = 0; level < 20_000; level++) matcher = { not_match: matcher };
  const schema = registry.getMessage("envoy.config.common.matcher.v3.MatchPredicate") as DescMessage;
  const [issue, ...more] = issuesOf(schema, matcher);
  assert.equal(issue?.message, "nested more than 100 levels deep");
  assert.deepEqual(more, []);
  let list: JsonValue = [];
  for (let level = 0; level < 20_000; level++) list = [list];
  assert.equal(issuesOf(MetadataSchema, { filter_metadata: { a: { list } } }).length, 1);
});

test("stops listing after a thousand faults", () => {
  const json = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`wrong_${index}`, 1]));
  const issues = issuesOf(ClusterSchema, json);
  assert.equal(issues.length, 1001);
  assert.deepEqual(issues.at(-1), { path: "", message: "there are more faults, which are not listed" });
});

test("reads back what toJson writes, for any message of any type", () => {
  for (const schema of schemas as DescMessage[]) {
    fc.assert(
      fc.property(arbitraryMessage(schema), (message) => {
        const reading = readJson(schema, toJson(schema, message));
        assert.ok(reading.ok);
        assert.deepEqual(encode(schema, reading.message), encode(schema, message));
      }),
      { numRuns: 5 },
    );
  }
});

test("reports the place of a fault in any damaged message, before the library finds it", () => {
  const oddities = [null, true, -1, 1.5, 2 ** 53, "", "x", "1s", [], [null], {}, { "@type": "x/y" }, { a: 1 }];
  for (const schema of schemas as DescMessage[]) {
    fc.assert(
      fc.property(arbitraryMessage(schema), fc.nat(), fc.constantFrom(...oddities), (message, where, oddity) => {
        const json = damaged(toJson(schema, message), where, oddity as JsonValue);
        for (const issue of issuesOf(schema, json)) assert.doesNotMatch(issue.message, /cannot decode/);
      }),
      { numRuns: 5 },
    );
  }
});

/** Returns the value with one part replaced. A number selects the part. */
function damaged(json: JsonValue, where: number, oddity: JsonValue): JsonValue {
  const text = JSON.stringify(json, (_, value) => value);
  const copy = { root: JSON.parse(text) };
  const parts: [Record<string, unknown>, string][] = [];
  const collect = (owner: object) => {
    for (const [key, value] of Object.entries(owner)) {
      parts.push([owner as Record<string, unknown>, key]);
      if (typeof value === "object" && value !== null) collect(value);
    }
  };
  collect(copy);
  const [owner, key] = parts[where % parts.length] as [Record<string, unknown>, string];
  Object.defineProperty(owner, key, { value: oddity, enumerable: true });
  return copy.root;
}

function issuesOf(schema: DescMessage, json: unknown): readonly JsonIssue[] {
  const reading = readJson(schema, json);
  return reading.ok ? [] : reading.issues;
}
