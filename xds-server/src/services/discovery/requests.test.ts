import assert from "node:assert/strict";
import { test } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { NodeSchema } from "xds-proto-ts/envoy/config/core/v3/base";
import {
  type DeltaDiscoveryRequest,
  DeltaDiscoveryRequestSchema,
  type DiscoveryRequest,
  DiscoveryRequestSchema,
} from "xds-proto-ts/envoy/service/discovery/v3/discovery";
import { CallFault } from "../../grpc/status.ts";
import type { DeltaNames, SotwNames } from "../../protocol/stream.ts";
import { resourceType, resourceTypeOf, resourceTypes } from "../../resources/resource-types.ts";
import { RequestReader, type WireRequest } from "./requests.ts";

const reader = (variant: "sotw" | "delta", maxNames = 10_000) =>
  new RequestReader({ variant, onlyType: undefined, maxNames });

/** A varint, with `padding` needless bytes. */
function varint(value: number, padding = 0): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  bytes.push(rest);
  for (let count = 0; count < padding; count += 1) {
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) | 0x80;
    bytes.push(0);
  }
  return Buffer.from(bytes);
}

const field = (number: number, value: Uint8Array, padding = 0): Buffer =>
  Buffer.concat([varint(number * 8 + 2), varint(value.length, padding), value]);

const name = fc.oneof(fc.constantFrom("cart", "catalog", "*", "", "ä\ufffd"), fc.string({ maxLength: 200 }));
const text = fc.oneof(name, fc.string({ unit: "binary", maxLength: 20 })).filter((value) => value.isWellFormed());
const typeUrl = fc.constantFrom(...resourceTypes.map((type) => type.typeUrl));
const padding = fc.constantFrom(0, 0, 0, 1, 3);

const textField = (number: number, value: fc.Arbitrary<string>) =>
  fc.tuple(value, padding).map(([value, padding]) => field(number, Buffer.from(value), padding));

const status = fc
  .tuple(text, fc.nat())
  .map(([message, code]) => Buffer.concat([varint(8), varint(code), field(2, Buffer.from(message))]));
const node = fc
  .record({ id: name, cluster: name, region: name, version: name, key: name, value: fc.double({ noNaN: true }) })
  .map(({ id, cluster, region, version, key, value }) =>
    toBinary(
      NodeSchema,
      create(NodeSchema, {
        id,
        cluster,
        locality: { region },
        userAgentVersionType: { case: "userAgentVersion", value: version },
        metadata: key === "__proto__" ? {} : { [key]: value },
        extensions: [{ name: "envoy.filters.http.wasm", category: "envoy.filters.http" }],
      }),
    ),
  );

/** Fields that no request has today, of each wire type, with nested groups. */
const group = fc.letrec<{ group: Buffer; inner: Buffer }>((tie) => ({
  group: fc
    .tuple(fc.integer({ min: 20, max: 40 }), tie("inner"))
    .map(([number, inner]) => Buffer.concat([varint(number * 8 + 3), inner, varint(number * 8 + 4)])),
  inner: fc.oneof({ maxDepth: 3 }, textField(3, name), tie("group")),
})).group;
const unknown = fc.oneof(
  group,
  textField(99, text),
  fc.nat().map((value) => Buffer.concat([varint(50 * 8), varint(value)])),
  fc.uint8Array({ minLength: 8, maxLength: 8 }).map((value) => Buffer.concat([varint(51 * 8 + 1), value])),
  fc.uint8Array({ minLength: 4, maxLength: 4 }).map((value) => Buffer.concat([varint(52 * 8 + 5), value])),
);

const message = (number: number, content: fc.Arbitrary<Uint8Array>) => content.map((bytes) => field(number, bytes));
const entry = fc
  .tuple(
    fc.string().filter((key) => key !== "__proto__" && key.isWellFormed()),
    name,
  )
  .map(([key, value]) => field(5, Buffer.concat([field(1, Buffer.from(key)), field(2, Buffer.from(value))])));

const request = (fields: fc.Arbitrary<Buffer>) =>
  fc.array(fields, { maxLength: 25 }).map((fields) => Buffer.concat(fields));
const sotwRequest = request(
  fc.oneof(
    textField(1, text),
    message(2, node),
    { arbitrary: textField(3, name), weight: 5 },
    textField(4, typeUrl),
    textField(5, text),
    message(6, status),
    unknown,
  ),
);
const deltaRequest = request(
  fc.oneof(
    message(1, node),
    textField(2, typeUrl),
    textField(3, name),
    textField(4, name),
    entry,
    textField(6, text),
    message(7, status),
    unknown,
  ),
);

/** The fields that both variants share, as the generated decoder reads them. */
function common(message: DiscoveryRequest | DeltaDiscoveryRequest) {
  const { typeUrl, responseNonce, node, errorDetail } = message;
  const { id = "", cluster = "", metadata = {}, locality } = node ?? {};
  return {
    typeUrl,
    responseNonce,
    errorDetail: errorDetail?.message,
    node: node && { id, cluster, metadata, region: locality?.region ?? "" },
  };
}

function asCommon({ type, responseNonce, errorDetail, node }: WireRequest) {
  const { id = "", cluster = "", metadata = {}, locality } = node ?? {};
  return {
    typeUrl: type.typeUrl as string,
    responseNonce,
    errorDetail,
    node: node && { id, cluster, metadata, region: locality?.region ?? "" },
  };
}

/** The result, or undefined when there is none. */
function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

test("SotW: requests are read as the generated decoder reads them, however they are encoded", () => {
  fc.assert(
    fc.property(fc.array(sotwRequest, { maxLength: 6 }), (requests) => {
      const at = reader("sotw");
      const taken = new Map<string, readonly string[]>();
      // Sent twice, so that the second one is unchanged.
      for (const bytes of requests.flatMap((each) => [each, each])) {
        const wanted = fromBinary(DiscoveryRequestSchema, bytes);
        if (wanted.typeUrl === "" || resourceTypeOf(wanted.typeUrl)?.deltaOnly) {
          assert.throws(() => at.read(bytes), CallFault);
          continue;
        }
        const got = at.read(bytes);
        assert.deepEqual(asCommon(got), common(wanted));
        if (got.names === "unchanged") assert.deepEqual(wanted.resourceNames, taken.get(wanted.typeUrl));
        else assert.deepEqual(got.names, { list: wanted.resourceNames, resumes: wanted.versionInfo !== "" });
        at.taken();
        taken.set(wanted.typeUrl, wanted.resourceNames);
      }
    }),
  );
});

test("delta: requests are read as the generated decoder reads them, however they are encoded", () => {
  fc.assert(
    fc.property(fc.array(deltaRequest, { maxLength: 6 }), (requests) => {
      const at = reader("delta");
      const seen = new Set<string>();
      for (const bytes of requests.flatMap((each) => [each, each])) {
        const wanted = fromBinary(DeltaDiscoveryRequestSchema, bytes);
        if (wanted.typeUrl === "") continue;
        const got = at.read(bytes);
        assert.deepEqual(asCommon(got), common(wanted));
        const { resourceNamesSubscribe: added, resourceNamesUnsubscribe: removed } = wanted;
        const saysNothing = added.length === 0 && removed.length === 0 && seen.has(wanted.typeUrl);
        if (saysNothing) assert.equal(got.names, "unchanged");
        else {
          const names = got.names as DeltaNames;
          assert.deepEqual([names.added, names.removed], [added, removed]);
          assert.deepEqual(Object.fromEntries(names.initialVersions), wanted.initialResourceVersions);
        }
        at.taken();
        seen.add(wanted.typeUrl);
      }
    }),
  );
});

test("a request with random changes is rejected, or read with valid texts", () => {
  const type = field(4, Buffer.from(resourceType("EDS").typeUrl));
  const damaged = fc.tuple(sotwRequest, fc.nat(), fc.nat(255)).map(([bytes, at, value]) => {
    const damaged = Buffer.from(bytes);
    if (damaged.length > 0) damaged[at % damaged.length] = value;
    return Buffer.concat([damaged, type]);
  });
  const count = { read: 0, rejected: 0 };
  fc.assert(
    fc.property(damaged, (bytes) => {
      try {
        const { names, responseNonce } = reader("sotw").read(bytes);
        const { list } = names as SotwNames;
        for (const text of [responseNonce, ...list]) assert.ok(text.isWellFormed());
        count.read += 1;
      } catch (error) {
        assert.ok(error instanceof CallFault);
        count.rejected += 1;
      }
    }),
    { numRuns: 500 },
  );
  assert.ok(count.read > 20 && count.rejected > 20, JSON.stringify(count));
});

test("every prefix of a request is rejected or is a valid request", () => {
  const whole = toBinary(
    DiscoveryRequestSchema,
    create(DiscoveryRequestSchema, {
      node: { id: "edge", metadata: { zone: "a" } },
      typeUrl: resourceType("EDS").typeUrl,
      resourceNames: ["cart", "catalog"],
    }),
  );
  for (let end = 0; end < whole.length; end += 1) {
    const bytes = Buffer.from(whole.subarray(0, end));
    const wanted = attempt(() => fromBinary(DiscoveryRequestSchema, bytes));
    const got = attempt(() => reader("sotw").read(bytes));
    assert.equal(got !== undefined, wanted !== undefined && wanted.typeUrl !== "", `cut at ${end}`);
  }
});

const ask = (shortName: string, resourceNames: string[], versionInfo = "") =>
  Buffer.from(
    toBinary(
      DiscoveryRequestSchema,
      create(DiscoveryRequestSchema, { typeUrl: resourceType(shortName).typeUrl, resourceNames, versionInfo }),
    ),
  );

test("later requests are not compared with the names of a stale request", () => {
  const at = reader("sotw");
  assert.deepEqual(at.read(ask("EDS", ["a"])).names, { list: ["a"], resumes: false });
  at.taken();
  assert.deepEqual(at.read(ask("EDS", ["a", "b"])).names, { list: ["a", "b"], resumes: false });
  // Not accepted. The same request again:
  assert.deepEqual(at.read(ask("EDS", ["a", "b"])).names, { list: ["a", "b"], resumes: false });
  assert.equal(at.read(ask("EDS", ["a"])).names, "unchanged");
  at.taken();
  assert.equal(at.read(ask("EDS", ["a"])).names, "unchanged");
});

test("names of one type are not mixed up with names of another", () => {
  const at = reader("sotw");
  at.read(ask("EDS", ["a", "b"]));
  at.taken();
  assert.deepEqual(at.read(ask("RDS", ["a", "b"], "1")).names, { list: ["a", "b"], resumes: true });
  at.taken();
  assert.deepEqual(at.read(ask("EDS", ["a", "b", "c"])).names, { list: ["a", "b", "c"], resumes: false });
  assert.deepEqual(at.read(ask("EDS", ["a"])).names, { list: ["a"], resumes: false });
  assert.deepEqual(at.read(ask("EDS", [])).names, { list: [], resumes: false });
});

test("names that are not UTF-8 are rejected, and so is a list over the limit", () => {
  const type = field(4, Buffer.from(resourceType("EDS").typeUrl));
  const invalid = Buffer.concat([field(3, Buffer.from([0x61, 0xff])), type]);
  assert.throws(() => reader("sotw").read(invalid), { code: "INVALID_ARGUMENT" });
  assert.throws(() => reader("sotw", 2).read(ask("EDS", ["a", "b", "c"])), { code: "RESOURCE_EXHAUSTED" });
});

test("a name that is special to JavaScript is an ordinary name", () => {
  const version = Buffer.concat([field(1, Buffer.from("__proto__")), field(2, Buffer.from("v1"))]);
  const bytes = Buffer.concat([field(2, Buffer.from(resourceType("EDS").typeUrl)), field(5, version)]);
  const { initialVersions } = reader("delta").read(bytes).names as DeltaNames;
  assert.deepEqual([...initialVersions], [["__proto__", "v1"]]);
});

test("a request that consists of pieces only is rejected before it uses memory", () => {
  const pieces = Buffer.concat(Array.from({ length: 20_000 }, () => Buffer.from([2 * 8 + 2, 0])));
  assert.throws(() => reader("sotw").read(pieces), { code: "INVALID_ARGUMENT" });
});
