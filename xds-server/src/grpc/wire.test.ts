import assert from "node:assert/strict";
import { test } from "node:test";
import { fromBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import {
  DeltaDiscoveryResponseSchema,
  DiscoveryResponseSchema,
} from "xds-proto-ts/envoy/service/discovery/v3/discovery";
import type { Response } from "../protocol/stream.ts";
import { newTypeStream } from "../protocol/type-stream.ts";
import { resourceType } from "../resources/resource-types.ts";
import { frameHeadBytes } from "./call.ts";
import { responseWriter } from "./wire.ts";

const type = resourceType("EDS");
const name = fc.string({ minLength: 1, maxLength: 300 }).filter((text) => text.isWellFormed());
const resource = fc
  .record({
    name,
    version: name,
    body: fc.uint8Array({ maxLength: 20_000 }),
    aliases: fc.array(name, { maxLength: 3 }),
  })
  .map((parts) => ({ ...parts, typeUrl: type.typeUrl, rewarms: [] }));
const resources = fc.array(resource, { maxLength: 5 });
const names = fc.array(name, { maxLength: 5 });
const response = fc
  .record({ nonce: name, version: name, changed: resources, kept: resources, removed: names, vacant: names })
  .map(({ nonce, version, ...carried }): Response => {
    const led = { stream: newTypeStream(type, "delta"), available: new Map(), gone: [], withheld: [] };
    return { type, nonce, version, update: { nonce, version, ...led, ...carried } };
  });

const messageIn = (framed: Buffer): Uint8Array => {
  assert.equal(framed[0], 0);
  assert.equal(framed.readUInt32BE(1), framed.length - frameHeadBytes);
  return framed.subarray(frameHeadBytes);
};

test("responses are what the generated decoder reads, and written once", () => {
  const write = responseWriter("who answers");
  fc.assert(
    fc.property(response, (response) => {
      const { changed, kept, removed, vacant } = response.update;
      const sotw = write("sotw", response);
      assert.equal(write("sotw", response), sotw);
      const full = fromBinary(DiscoveryResponseSchema, messageIn(sotw.framed));
      assert.deepEqual([full.versionInfo, full.nonce, full.typeUrl], [response.version, response.nonce, type.typeUrl]);
      assert.equal(full.controlPlane?.identifier, "who answers");
      assert.deepEqual(
        full.resources.map(({ typeUrl, value }) => [typeUrl, Buffer.from(value)]),
        [...changed, ...kept].map(({ body }) => [type.typeUrl, Buffer.from(body)]),
      );
      const delta = write("delta", response);
      assert.equal(write("delta", response), delta);
      const message = fromBinary(DeltaDiscoveryResponseSchema, messageIn(delta.framed));
      assert.deepEqual([message.systemVersionInfo, message.nonce], [response.version, response.nonce]);
      assert.equal(message.controlPlane?.identifier, "who answers");
      assert.deepEqual(message.removedResources, removed);
      assert.deepEqual(
        message.resources.map(({ name, version, aliases, resource }) => [
          name,
          version,
          aliases,
          resource && Buffer.from(resource.value),
        ]),
        [
          ...changed.map(({ name, version, aliases, body }) => [name, version, aliases, Buffer.from(body)]),
          ...vacant.map((name) => [name, "", [name], undefined]),
        ],
      );
    }),
  );
});
