import assert from "node:assert/strict";
import { test } from "node:test";
import { fromBinary } from "@bufbuild/protobuf";
import { anyUnpack, durationMs } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import {
  DeltaDiscoveryResponseSchema,
  DiscoveryResponseSchema,
  type Resource as ResourceMessage,
  ResourceSchema,
} from "xds-proto-ts/envoy/service/discovery/v3/discovery";
import { frameHeadBytes } from "../../grpc/call.ts";
import type { Response } from "../../protocol/stream.ts";
import { newTypeStream } from "../../protocol/type-stream.ts";
import { resourceType } from "../../resources/resource-types.ts";
import type { Resource } from "../../resources/snapshot.ts";
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
  .chain((parts) =>
    fc.option(fc.integer({ min: 1, max: 100_000 }), { nil: undefined }).map((ttlMs) => ({
      ...parts,
      typeUrl: type.typeUrl,
      rewarms: [],
      ...(ttlMs === undefined ? {} : { ttlMs }),
    })),
  );
const resources = fc.array(resource, { maxLength: 5 });
const names = fc.array(name, { maxLength: 5 });
const response = fc
  .record({
    nonce: name,
    version: name,
    changed: resources,
    kept: resources,
    alive: resources,
    removed: names,
    vacant: names,
  })
  .map(({ nonce, version, ...carried }): Response => {
    const led = { stream: newTypeStream(type, "delta"), available: new Map(), gone: [], withheld: [] };
    return { type, nonce, version, update: { nonce, version, ...led, ...carried } };
  });

const messageIn = (framed: Buffer): Uint8Array => {
  assert.equal(framed[0], 0);
  assert.equal(framed.readUInt32BE(1), framed.length - frameHeadBytes);
  return framed.subarray(frameHeadBytes);
};

/** The fields of a `Resource`. */
const said = (message: ResourceMessage | undefined) =>
  message && {
    name: message.name,
    version: message.version,
    aliases: message.aliases,
    ttlMs: message.ttl && durationMs(message.ttl),
    body: message.resource && Buffer.from(message.resource.value),
  };
const all = ({ name, version, aliases = [], ttlMs, body }: Resource) => ({
  name,
  version,
  aliases,
  ttlMs,
  body: Buffer.from(body),
});
const onlyAbout = (made: Resource) => ({ ...all(made), body: undefined });

test("responses are read back by the generated decoder, and encoded once", () => {
  const write = responseWriter("who answers");
  fc.assert(
    fc.property(response, (response) => {
      const { changed, kept, alive, removed, vacant } = response.update;
      const whole = [...changed, ...kept];
      const sotw = write("sotw", response);
      assert.equal(write("sotw", response), sotw);
      const full = fromBinary(DiscoveryResponseSchema, messageIn(sotw.framed));
      assert.deepEqual([full.versionInfo, full.nonce, full.typeUrl], [response.version, response.nonce, type.typeUrl]);
      assert.equal(full.controlPlane?.identifier, "who answers");
      assert.deepEqual(
        full.resources.slice(0, whole.length).map(({ typeUrl, value }) => [typeUrl, Buffer.from(value)]),
        whole.map(({ body }) => [type.typeUrl, Buffer.from(body)]),
      );
      const wrapping = fromBinary(DiscoveryResponseSchema, messageIn(write("sotw with ttl", response).framed));
      assert.deepEqual(
        wrapping.resources.map((any) => said(anyUnpack(any, ResourceSchema))),
        [...whole.map((each) => (each.ttlMs === undefined ? said(undefined) : all(each))), ...alive.map(onlyAbout)],
      );
      const delta = write("delta with ttl", response);
      assert.equal(write("delta with ttl", response), delta);
      const message = fromBinary(DeltaDiscoveryResponseSchema, messageIn(delta.framed));
      assert.deepEqual([message.systemVersionInfo, message.nonce], [response.version, response.nonce]);
      assert.equal(message.controlPlane?.identifier, "who answers");
      assert.deepEqual(message.removedResources, removed);
      assert.deepEqual(message.resources.map(said), [
        ...whole.map(all),
        ...alive.map(onlyAbout),
        ...vacant.map((name) => ({ name, version: "", aliases: [name], ttlMs: undefined, body: undefined })),
      ]);
      const plain = fromBinary(DeltaDiscoveryResponseSchema, messageIn(write("delta", response).framed));
      assert.ok(plain.resources.every(({ ttl }) => ttl === undefined));
    }),
  );
});
