import assert from "node:assert/strict";
import { test } from "node:test";
import { create, type DescMessage } from "@bufbuild/protobuf";
import { type Any, AnySchema } from "@bufbuild/protobuf/wkt";
import { AccessLogSchema } from "../../gen/envoy/config/accesslog/v3/accesslog_pb.js";
import { ClusterSchema } from "../../gen/envoy/config/cluster/v3/cluster_pb.js";
import { MetadataSchema } from "../../gen/envoy/config/core/v3/base_pb.js";
import { UpstreamHttpProtocolOptionsSchema as HttpOptionsSchema } from "../../gen/envoy/config/core/v3/protocol_pb.js";
import { ClusterLoadAssignmentSchema } from "../../gen/envoy/config/endpoint/v3/endpoint_pb.js";
import { RouteConfigurationSchema } from "../../gen/envoy/config/route/v3/route_pb.js";
import { packAny } from "../encode.ts";
import { readJson } from "../json/read.ts";
import { registry } from "../registry.ts";
import { messageChecks, type Violation } from "./message-checks.ts";
import { validate } from "./validate.ts";

function violationsOf(schema: DescMessage, json: unknown): readonly Violation[] {
  const reading = readJson(schema, json);
  assert.ok(reading.ok, "the JSON in the table can be read");
  return validate(schema, reading.message);
}

const route = (match: object) => ({
  name: "r",
  virtual_hosts: [{ name: "v", domains: ["*"], routes: [{ match, direct_response: { status: 200 } }] }],
});

const rejected: readonly { name: string; schema: DescMessage; json: unknown; violations: readonly Violation[] }[] = [
  {
    name: "a string too short",
    schema: ClusterSchema,
    json: {},
    violations: [{ path: "name", rule: "string.min_len", message: "value length must be at least 1 characters" }],
  },
  {
    name: "every violation, not only the first",
    schema: ClusterSchema,
    json: { name: "", connect_timeout: "0s", load_assignment: { endpoints: [{ priority: 129 }] } },
    violations: [
      { path: "name", rule: "string.min_len", message: "value length must be at least 1 characters" },
      { path: "connect_timeout", rule: "duration.gt", message: "value must be greater than 0s" },
      {
        path: "load_assignment.cluster_name",
        rule: "string.min_len",
        message: "value length must be at least 1 characters",
      },
      {
        path: "load_assignment.endpoints[0].priority",
        rule: "uint32.lte",
        message: "value must be less than or equal to 128",
      },
    ],
  },
  {
    name: "an unknown enum value",
    schema: ClusterSchema,
    json: { name: "c", lb_policy: 99 },
    violations: [
      { path: "lb_policy", rule: "enum.defined_only", message: "value must be one of the defined enum values" },
    ],
  },
  {
    name: "wrapped numbers out of range",
    schema: ClusterLoadAssignmentSchema,
    json: { cluster_name: "c", endpoints: [{ load_balancing_weight: 0 }], policy: { overprovisioning_factor: 0 } },
    violations: [
      {
        path: "endpoints[0].load_balancing_weight",
        rule: "uint32.gte",
        message: "value must be greater than or equal to 1",
      },
      { path: "policy.overprovisioning_factor", rule: "uint32.gt", message: "value must be greater than 0" },
    ],
  },
  {
    name: "a list too short",
    schema: RouteConfigurationSchema,
    json: { virtual_hosts: [{ name: "v", domains: [] }] },
    violations: [
      {
        path: "virtual_hosts[0].domains",
        rule: "repeated.min_items",
        message: "value must contain at least 1 item(s)",
      },
    ],
  },
  {
    name: "a line break in an item that is a header's name",
    schema: RouteConfigurationSchema,
    json: { request_headers_to_remove: ["x-ok", "x\nbad"] },
    violations: [
      {
        path: "request_headers_to_remove[1]",
        rule: "string.well_known_regex",
        message: 'value does not match regex pattern "^[^\\u0000\\u000A\\u000D]*$"',
      },
    ],
  },
  {
    name: "a oneof without a set member",
    schema: RouteConfigurationSchema,
    json: route({}),
    violations: [
      {
        path: "virtual_hosts[0].routes[0].match.path_specifier",
        rule: "oneof.required",
        message:
          "one of prefix, path, safe_regex, connect_matcher, path_separated_prefix, path_match_policy is required",
      },
    ],
  },
  {
    name: "a text that does not match its pattern",
    schema: RouteConfigurationSchema,
    json: route({ path_separated_prefix: "/cart/" }),
    violations: [
      {
        path: "virtual_hosts[0].routes[0].match.path_separated_prefix",
        rule: "string.pattern",
        message: 'value does not match regex pattern "^[^?#]+[^?#/]$"',
      },
    ],
  },
  {
    name: "a required message that is missing",
    schema: RouteConfigurationSchema,
    json: { virtual_hosts: [{ name: "v", domains: ["*"], routes: [{ direct_response: { status: 200 } }] }] },
    violations: [{ path: "virtual_hosts[0].routes[0].match", rule: "message.required", message: "value is required" }],
  },
  {
    name: "a key of a map",
    schema: MetadataSchema,
    json: { filter_metadata: { "": {} } },
    violations: [
      { path: 'filter_metadata[""]', rule: "string.min_len", message: "value length must be at least 1 characters" },
    ],
  },
  {
    name: "the content of an Any",
    schema: AccessLogSchema,
    json: {
      name: "file",
      typed_config: { "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog" },
    },
    violations: [
      { path: "typed_config.path", rule: "string.min_len", message: "value length must be at least 1 characters" },
    ],
  },
];

for (const { name, schema, json, violations } of rejected) {
  test(`rejects ${name}`, () => assert.deepEqual(violationsOf(schema, json), violations));
}

const taken: readonly { name: string; schema: DescMessage; json: unknown }[] = [
  { name: "a cluster with a name", schema: ClusterSchema, json: { name: "cart" } },
  {
    name: "an empty text where a rule allows it",
    schema: HttpOptionsSchema,
    json: { override_auto_sni_header: "" },
  },
  {
    name: "a oneof with another member than the required one",
    schema: RouteConfigurationSchema,
    json: route({ prefix: "/" }),
  },
  {
    name: "a header's name that begins with a colon",
    schema: RouteConfigurationSchema,
    json: { request_headers_to_remove: [":x"] },
  },
];

for (const { name, schema, json } of taken) {
  test(`accepts ${name}`, () => assert.deepEqual(violationsOf(schema, json), []));
}

function inAccessLog(typedConfig: Any): readonly Violation[] {
  const configType = { case: "typedConfig", value: typedConfig } as const;
  return validate(AccessLogSchema, create(AccessLogSchema, { name: "log", configType }));
}

test("accepts an Any of an unknown type, which only Envoy can check", () => {
  assert.deepEqual(inAccessLog(create(AnySchema, { typeUrl: "type.googleapis.com/acme.Log" })), []);
});

test("rejects an Any whose bytes are not valid for its type", () => {
  const any = create(AnySchema, {
    typeUrl: "type.googleapis.com/envoy.config.cluster.v3.Cluster",
    value: Uint8Array.of(0x0a, 0xff),
  });
  assert.deepEqual(inAccessLog(any), [
    { path: "typed_config", rule: "any", message: "value is not a envoy.config.cluster.v3.Cluster" },
  ]);
});

test("rejects too many Any messages inside one another", () => {
  let any = packAny(ClusterSchema, create(ClusterSchema, { name: "cart" }));
  for (let level = 0; level < 2000; level++) any = packAny(AnySchema, any);
  const [violation] = inAccessLog(any);
  assert.equal(violation?.message, "more than 32 messages packed inside one another");
});

test("knows every rule that the API uses", () => {
  for (const type of registry) if (type.kind === "message") messageChecks(type);
});
