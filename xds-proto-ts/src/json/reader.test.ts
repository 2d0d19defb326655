import assert from "node:assert/strict";
import { test } from "node:test";
import type { DescMessage } from "@bufbuild/protobuf";
import { AccessLogSchema } from "../../gen/envoy/config/accesslog/v3/accesslog_pb.js";
import { ClusterSchema } from "../../gen/envoy/config/cluster/v3/cluster_pb.js";
import { MetadataSchema } from "../../gen/envoy/config/core/v3/base_pb.js";
import { ListenerSchema } from "../../gen/envoy/config/listener/v3/listener_pb.js";
import { RouteConfigurationSchema } from "../../gen/envoy/config/route/v3/route_pb.js";
import { SecretSchema } from "../../gen/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import { readJson } from "./read.ts";
import type { JsonIssue } from "./reader.ts";

const hcm = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
const jwt = "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication";

const faults: readonly { name: string; schema: DescMessage; json: unknown; issues: readonly JsonIssue[] }[] = [
  {
    name: "an unknown field, with the nearest known one",
    schema: ClusterSchema,
    json: { name: "cart", conect_timeout: "1s" },
    issues: [
      {
        path: "conect_timeout",
        message: 'unknown field "conect_timeout" in envoy.config.cluster.v3.Cluster',
        hint: 'did you mean "connect_timeout"?',
      },
    ],
  },
  {
    name: "an unknown field without a similar one",
    schema: ClusterSchema,
    json: { colour: "red" },
    issues: [{ path: "colour", message: 'unknown field "colour" in envoy.config.cluster.v3.Cluster' }],
  },
  {
    name: "a fault deep inside filters, by the keys as they are written",
    schema: ListenerSchema,
    json: {
      filterChains: [
        {
          filters: [
            {
              name: "http",
              typed_config: {
                "@type": hcm,
                http_filters: [
                  { name: "router" },
                  { name: "jwt", typedConfig: { "@type": jwt, providers: { "my provider": { isuer: "x" } } } },
                ],
              },
            },
          ],
        },
      ],
    },
    issues: [
      {
        path: 'filterChains[0].filters[0].typed_config.http_filters[1].typedConfig.providers["my provider"].isuer',
        message: 'unknown field "isuer" in envoy.extensions.filters.http.jwt_authn.v3.JwtProvider',
        hint: 'did you mean "issuer"?',
      },
    ],
  },
  {
    name: "every fault, not only the first",
    schema: ClusterSchema,
    json: { name: 7, type: "STATICC", connect_timeout: 5, respect_dns_ttl: "yes", load_assignment: [] },
    issues: [
      { path: "name", message: "expected a string", found: "7", hint: 'put it in quotes: "7"' },
      {
        path: "type",
        message: "not a value of envoy.config.cluster.v3.Cluster.DiscoveryType",
        found: '"STATICC"',
        hint: 'did you mean "STATIC"?',
      },
      { path: "connect_timeout", message: 'expected a duration such as "1.5s"', found: "5", hint: 'write "5s"' },
      {
        path: "respect_dns_ttl",
        message: "expected true or false, got a string",
        found: '"yes"',
        hint: "write true, without quotes",
      },
      {
        path: "load_assignment",
        message: "expected an object (envoy.config.endpoint.v3.ClusterLoadAssignment), got a list",
      },
    ],
  },
  {
    name: "an enum in another case",
    schema: ClusterSchema,
    json: { lb_policy: "round-robin" },
    issues: [
      {
        path: "lb_policy",
        message: "not a value of envoy.config.cluster.v3.Cluster.LbPolicy",
        found: '"round-robin"',
        hint: 'did you mean "ROUND_ROBIN"?',
      },
    ],
  },
  {
    name: "an enum value without a similar one",
    schema: ClusterSchema,
    json: { dns_lookup_family: "whatever" },
    issues: [
      {
        path: "dns_lookup_family",
        message: "not a value of envoy.config.cluster.v3.Cluster.DnsLookupFamily",
        found: '"whatever"',
        hint: "write one of AUTO, V4_ONLY, V6_ONLY, V4_PREFERRED, ALL",
      },
    ],
  },
  {
    name: "a duration in another unit",
    schema: ClusterSchema,
    json: { connect_timeout: "250ms", dns_refresh_rate: "soon" },
    issues: [
      {
        path: "connect_timeout",
        message: 'expected a duration such as "1.5s", got a string',
        found: '"250ms"',
        hint: 'write "0.25s"',
      },
      {
        path: "dns_refresh_rate",
        message: 'expected a duration such as "1.5s", got a string',
        found: '"soon"',
      },
    ],
  },
  {
    name: "numbers out of range and numbers with fractions",
    schema: ClusterSchema,
    json: { per_connection_buffer_limit_bytes: -1, max_requests_per_connection: 1.5 },
    issues: [
      {
        path: "per_connection_buffer_limit_bytes",
        message: "expected a whole number from 0 to 4294967295",
        found: "-1",
      },
      { path: "max_requests_per_connection", message: "expected a whole number from 0 to 4294967295", found: "1.5" },
    ],
  },
  {
    name: "one value in place of a list",
    schema: RouteConfigurationSchema,
    json: { virtual_hosts: { name: "all" }, internal_only_headers: "x-secret" },
    issues: [
      { path: "virtual_hosts", message: "expected a list, got an object", hint: "put it in a list" },
      {
        path: "internal_only_headers",
        message: "expected a list, got a string",
        found: '"x-secret"',
        hint: "put it in a list",
      },
    ],
  },
  {
    name: "null in a list",
    schema: RouteConfigurationSchema,
    json: { virtual_hosts: [null] },
    issues: [
      {
        path: "virtual_hosts[0]",
        message: "expected an object (envoy.config.route.v3.VirtualHost), got null",
      },
    ],
  },
  {
    name: "one field in both spellings",
    schema: ClusterSchema,
    json: { alt_stat_name: "a", altStatName: "b" },
    issues: [
      { path: "altStatName", message: 'the same field as "alt_stat_name"', hint: "keep one of the two spellings" },
    ],
  },
  {
    name: "two members of a oneof",
    schema: AccessLogSchema,
    json: { filter: { not_health_check_filter: {}, traceable_filter: {} } },
    issues: [
      {
        path: "filter.traceable_filter",
        message:
          'excludes "not_health_check_filter": only one of status_code_filter, duration_filter, not_health_check_filter, ' +
          "traceable_filter, runtime_filter, and_filter, or_filter, header_filter, response_flag_filter, " +
          "grpc_status_filter, extension_filter, metadata_filter, log_type_filter can be set",
      },
    ],
  },
  {
    name: "an Any without a type",
    schema: AccessLogSchema,
    json: { typed_config: { path: "/dev/stdout" } },
    issues: [{ path: "typed_config.@type", message: 'missing "@type"' }],
  },
  {
    name: "an Any with a misspelt type",
    schema: AccessLogSchema,
    json: { typed_config: { "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccesLog" } },
    issues: [
      {
        path: "typed_config.@type",
        message: "unknown type",
        found: '"type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccesLog"',
        hint: 'did you mean "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog"?',
      },
    ],
  },
  {
    name: "an Any with a type that moved to another package",
    schema: AccessLogSchema,
    json: { typed_config: { "@type": "type.googleapis.com/envoy.config.accesslog.v2.FileAccessLog" } },
    issues: [
      {
        path: "typed_config.@type",
        message: "unknown type",
        found: '"type.googleapis.com/envoy.config.accesslog.v2.FileAccessLog"',
        hint: 'did you mean "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog"?',
      },
    ],
  },
  {
    name: "a type without its prefix",
    schema: AccessLogSchema,
    json: { typed_config: { "@type": "envoy.extensions.access_loggers.file.v3.FileAccessLog" } },
    issues: [
      {
        path: "typed_config.@type",
        message: 'expected a "/" before the name',
        found: '"envoy.extensions.access_loggers.file.v3.FileAccessLog"',
        hint: 'did you mean "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog"?',
      },
    ],
  },
  {
    name: "fields beside the value of an Any that has a plain form",
    schema: AccessLogSchema,
    json: { typed_config: { "@type": "type.googleapis.com/google.protobuf.Duration", value: "x", unit: "s" } },
    issues: [
      { path: "typed_config.unit", message: 'unknown field "unit" beside "@type" and "value"' },
      { path: "typed_config.value", message: 'expected a duration such as "1.5s", got a string', found: '"x"' },
    ],
  },
  {
    name: "keys with a meaning in JavaScript",
    schema: ClusterSchema,
    json: JSON.parse('{"__proto__": {"name": "x"}, "constructor": 1, "toString": 2}'),
    issues: ["__proto__", "constructor", "toString"].map((key) => ({
      path: key,
      message: `unknown field "${key}" in envoy.config.cluster.v3.Cluster`,
    })),
  },
  {
    name: "values that are not JSON inside a Struct",
    schema: MetadataSchema,
    json: { filter_metadata: { "envoy.lb": { a: Number.NaN, b: [1n] } } },
    issues: [
      { path: 'filter_metadata["envoy.lb"].a', message: "expected a JSON value, got a number", found: "NaN" },
      { path: 'filter_metadata["envoy.lb"].b[0]', message: "expected a JSON value, got a bigint" },
    ],
  },
  {
    name: "a value that is not an object",
    schema: ClusterSchema,
    json: "cart",
    issues: [
      {
        path: "",
        message: "expected an object (envoy.config.cluster.v3.Cluster), got a string",
        found: '"cart"',
      },
    ],
  },
  {
    name: "faults inside secrets without their values",
    schema: SecretSchema,
    json: { name: "pay", tls_certificate: { password: { inline_string: 12345 }, private_key: { inline_bytes: "*!" } } },
    issues: [
      { path: "tls_certificate.password.inline_string", message: "expected a string" },
      { path: "tls_certificate.private_key.inline_bytes", message: "expected bytes in base64, got a string" },
    ],
  },
];

for (const { name, schema, json, issues } of faults) {
  test(`reports ${name}`, () => assert.deepEqual(readJson(schema, json), { ok: false, issues }));
}
