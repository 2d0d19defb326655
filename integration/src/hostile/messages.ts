import { create, type DescMessage, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { NodeSchema } from "xds-proto-ts/envoy/config/core/v3/base";
import { DeltaDiscoveryRequestSchema, DiscoveryRequestSchema } from "xds-proto-ts/envoy/service/discovery/v3/discovery";
import { typeUrlOf, type Variant } from "../conformance/resources.ts";
import type { Choices } from "../harness/random-choices.ts";

/** The head of a gRPC frame, before its message. Absent fields are correct. */
interface Head {
  readonly flag?: number;
  readonly length?: number;
}

export function framed(message: Uint8Array, { flag = 0, length = message.length }: Head = {}): Buffer {
  const head = Buffer.alloc(5);
  head[0] = flag;
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, message]);
}

export function encoded<Schema extends DescMessage>(schema: Schema, fields: MessageInitShape<Schema>): Uint8Array {
  return toBinary(schema, create(schema, fields));
}

/** Names of existing resources, and names that no resource should have. */
const names = [
  ...["a", "a", "b", "b", "*", "", "shop/a", "shop/*", "no-such", "__proto__", "constructor", "toString", "valueOf"],
  ...[
    "xdstp://a/b?c=d#e",
    "\u0000",
    "\u202eabc\ufeff",
    "%s%n%d",
    "../../etc/passwd",
    "é".repeat(100),
    "n".repeat(4096),
  ],
];

export function oddName(choose: Choices): string {
  return choose.chance(0.97) ? choose.one(names) : choose.bytes(choose.below(100)).toString("latin1");
}

/** Protobuf fields, nested, some of them malformed. */
export function wildProtobuf(choose: Choices, depth = 0): Buffer {
  return Buffer.concat(choose.some(8, () => wildField(choose, depth)));
}

function wildField(choose: Choices, depth: number): Buffer {
  const number = choose.chance(0.9) ? 1 + choose.below(11) : choose.one([0, 15, 19_000, 2 ** 29 - 1]);
  const wireType = choose.chance(0.6) ? WireType.LengthDelimited : choose.below(8);
  const tag = varint(number * 8 + wireType);
  if (wireType === WireType.Varint) return Buffer.concat([tag, choose.bytes(choose.below(12)), Buffer.of(0)]);
  if (wireType !== WireType.LengthDelimited) return Buffer.concat([tag, choose.bytes(choose.one([0, 4, 8]))]);
  const value = depth < 4 && choose.chance(0.6) ? wildProtobuf(choose, depth + 1) : Buffer.from(oddName(choose));
  return Buffer.concat([tag, varint(choose.chance(0.95) ? value.length : choose.below(2 ** 31)), value]);
}

const varint = (value: number): Uint8Array => new BinaryWriter().uint32(value).finish();

/** A copy in which some bytes are changed, left out or repeated. */
export function mutated(message: Buffer, choose: Choices): Buffer {
  let bytes = message;
  for (let left = 1 + choose.below(6); left > 0; left--) {
    const at = choose.below(bytes.length);
    const end = Math.min(bytes.length, at + 1 + choose.below(20));
    const part = bytes.subarray(at, end);
    const others = choose.one([[choose.bytes(part.length)], [], [part, part]]);
    bytes = Buffer.concat([bytes.subarray(0, at), ...others, bytes.subarray(end)]);
  }
  return bytes;
}

/** A request whose node has lists in its metadata, nested to this number of levels. */
function deepRequest(levels: number): Buffer {
  // From the inside out: Value { list_value = 6 } of ListValue { values = 1 }.
  const heads: Uint8Array[] = [];
  let length = 0;
  const wrap = (number: number): void => {
    const head = new BinaryWriter().tag(number, WireType.LengthDelimited).uint32(length).finish();
    heads.push(head);
    length += head.length;
  };
  for (let level = 0; level < levels; level++) for (const number of [1, 6]) wrap(number);
  wrap(2);
  const key = new BinaryWriter().tag(1, WireType.LengthDelimited).string("deep").finish();
  heads.push(key);
  length += key.length;
  for (const number of [1, 3]) wrap(number);
  const metadata = Buffer.concat(heads.reverse());
  const node = Buffer.concat([encoded(NodeSchema, { id: "deep" }), metadata]);
  // The node is field 1 of a delta request.
  return Buffer.concat([varint(8 + WireType.LengthDelimited), varint(node.length), node]);
}

const namesUpTo = (count: number) => Array.from({ length: count }, (_, index) => `many-${index}`);
/** The maximum number of subscriptions of a stream. */
const manyNames = namesUpTo(50_000);
const tooManyNames = namesUpTo(500_000);

/** Very deep and very long requests, by variant. The server must reject or handle each of them in time. */
export const extremes = {
  sotw: [
    ...[manyNames, tooManyNames].map((resourceNames) =>
      encoded(DiscoveryRequestSchema, { node: { id: "many" }, typeUrl: typeUrlOf("EDS"), resourceNames }),
    ),
  ],
  delta: [
    ...[50, 90, 1_000, 20_000].map(deepRequest),
    ...[manyNames, tooManyNames].map((resourceNamesSubscribe) =>
      encoded(DeltaDiscoveryRequestSchema, { node: { id: "many" }, typeUrl: typeUrlOf("EDS"), resourceNamesSubscribe }),
    ),
    encoded(DeltaDiscoveryRequestSchema, {
      node: { id: "many" },
      typeUrl: typeUrlOf("RDS"),
      initialResourceVersions: Object.fromEntries(manyNames.map((name) => [name, "1"])),
    }),
  ],
} satisfies Record<Variant, readonly Uint8Array[]>;

/** The start tags of groups that have no end tags. */
export const openGroups = Buffer.alloc(20_000, (1 << 3) + WireType.StartGroup);
