import assert from "node:assert/strict";
import { test } from "node:test";
import { create, type DescMessage, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { MetadataSchema } from "../gen/envoy/config/core/v3/base_pb.js";
import { arbitraryMessage } from "./arbitrary-message.ts";
import { decode, encode, packAny } from "./encode.ts";
import { registry } from "./registry.ts";

const schemas = [...registry].filter((type) => type.kind === "message" && type.file.proto.syntax === "proto3");

test("decodes the encoded bytes of any message of any type", () => {
  for (const schema of schemas as DescMessage[]) {
    fc.assert(
      fc.property(arbitraryMessage(schema), (message) => {
        const bytes = encode(schema, message);
        assert.deepEqual(decode(schema, bytes), decode(schema, toBinary(schema, message)));
      }),
      { numRuns: 5 },
    );
  }
});

test("the order of insertion into maps does not change the bytes", () => {
  for (const schema of schemas as DescMessage[]) {
    fc.assert(
      fc.property(arbitraryMessage(schema), (message) => {
        assert.deepEqual(encode(schema, backwards(message)), encode(schema, message));
      }),
      { numRuns: 5 },
    );
  }
});

test("encoding does not change the message", () => {
  const message = create(MetadataSchema, { filterMetadata: { b: { z: 1, a: { y: 1, x: 2 } }, a: {} } });
  encode(MetadataSchema, message);
  assert.deepEqual(JSON.stringify(message.filterMetadata), '{"b":{"z":1,"a":{"y":1,"x":2}},"a":{}}');
});

test("equal messages give equal Any messages", () => {
  const one = packAny(MetadataSchema, create(MetadataSchema, { filterMetadata: { a: {}, b: {} } }));
  const other = packAny(MetadataSchema, create(MetadataSchema, { filterMetadata: { b: {}, a: {} } }));
  assert.equal(one.typeUrl, "type.googleapis.com/envoy.config.core.v3.Metadata");
  assert.deepEqual(one, other);
});

test("throws for bytes that are not a message", () => {
  assert.throws(() => decode(MetadataSchema, Uint8Array.of(0x0a, 0xff)));
});

/** The same content, with the properties of every object in reverse order. */
function backwards<T>(value: T): T {
  if (value instanceof Uint8Array || typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(backwards) as T;
  const entries = Object.entries(value).map(([key, inner]) => [key, backwards(inner)] as const);
  return Object.setPrototypeOf(Object.fromEntries(entries.reverse()), Object.getPrototypeOf(value)) as T;
}
