import assert from "node:assert/strict";
import { test } from "node:test";
import { create, type DescMessage, toJson as libraryToJson } from "@bufbuild/protobuf";
import { type Any, AnySchema } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { AccessLogSchema } from "../../gen/envoy/config/accesslog/v3/accesslog_pb.js";
import { ClusterSchema } from "../../gen/envoy/config/cluster/v3/cluster_pb.js";
import { arbitraryMessage } from "../arbitrary-message.ts";
import { packAny } from "../encode.ts";
import { registry } from "../registry.ts";
import { readJson } from "./read.ts";
import { toJson } from "./write.ts";

const schemas = [...registry].filter((type) => type.kind === "message" && type.file.proto.syntax === "proto3");

test("writes the same as the library, for any message of any type", () => {
  for (const schema of schemas as DescMessage[]) {
    fc.assert(
      fc.property(arbitraryMessage(schema), (message) => {
        const expected = libraryToJson(schema, message, { registry, useProtoFieldName: true });
        assert.deepEqual(toJson(schema, message), expected);
      }),
      { numRuns: 5 },
    );
  }
});

function accessLogJson(typedConfig: Any) {
  const configType = { case: "typedConfig", value: typedConfig } as const;
  return toJson(AccessLogSchema, create(AccessLogSchema, { configType }));
}

test("writes the bytes of an Any with an unknown type", () => {
  const value = Uint8Array.of(1, 2, 3);
  const any = create(AnySchema, { typeUrl: "type.googleapis.com/acme.Filter", value });
  assert.deepEqual(accessLogJson(any), {
    typed_config: { "@type": "type.googleapis.com/acme.Filter", value: "AQID" },
  });
});

test("writes the bytes of an Any when they are not valid for its type", () => {
  const typeUrl = "type.googleapis.com/envoy.config.cluster.v3.Cluster";
  const any = create(AnySchema, { typeUrl, value: Uint8Array.of(0x0a, 0xff) });
  assert.deepEqual(accessLogJson(any), { typed_config: { "@type": typeUrl, value: "Cv8=" } });
});

test("writes an Any without content as an empty object, which reads back as one", () => {
  assert.deepEqual(toJson(AnySchema, create(AnySchema)), {});
  assert.deepEqual(readJson(AnySchema, {}), { ok: true, message: create(AnySchema) });
});

test("decodes Any inside Any up to a limit, and writes deeper ones as bytes", () => {
  let any = packAny(ClusterSchema, create(ClusterSchema, { name: "cart" }));
  for (let level = 0; level < 2000; level++) any = packAny(AnySchema, any);
  const text = JSON.stringify(accessLogJson(any));
  assert.equal(text.match(/@type/g)?.length, 32 + 1);
});

test("writes an unknown enum value as its number", () => {
  assert.deepEqual(toJson(ClusterSchema, create(ClusterSchema, { lbPolicy: 999 as 0 })), { lb_policy: 999 });
});
