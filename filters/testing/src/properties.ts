import { status } from "./abi.ts";
import type { ByteString, Bytes } from "./bytes.ts";
import { bytesOf } from "./bytes.ts";
import { HeaderMap } from "./header-map.ts";
import { encodePairs, type Pair } from "./pairs.ts";

/**
 * The value of a property. The filter gets strings and bytes as they are, numbers and dates as eight bytes (dates in
 * nanoseconds), booleans as one byte, and headers as pairs. A tree has no value of its own: it is a part of a path.
 */
export type PropertyValue = Bytes | number | bigint | boolean | Date | HeaderMap | PropertyTree | undefined;

export interface PropertyTree {
  readonly [name: string]: PropertyValue;
}

/** Finds a property by its path and encodes it. Returns a status when there is none. */
export function findProperty(tree: PropertyTree, path: readonly ByteString[]): Buffer | number {
  let value: PropertyValue = tree;
  for (const part of path) {
    if (value instanceof HeaderMap) value = value.get(part) === undefined ? undefined : allValues(value, part);
    else if (isTree(value) && Object.hasOwn(value, part)) value = value[part];
    else return status.notFound;
  }
  return value === undefined ? status.notFound : encode(value);
}

/** Overrides properties by those that a test names by path ("connection.mtls"). */
export function withProperties(tree: PropertyTree, named: Readonly<Record<string, PropertyValue>>): PropertyTree {
  return Object.entries(named).reduce((whole, [path, value]) => put(whole, path.split("."), value), tree);
}

function put(tree: PropertyTree, [first = "", ...rest]: readonly string[], value: PropertyValue): PropertyTree {
  if (rest.length === 0) return { ...tree, [first]: value };
  const below = tree[first];
  return { ...tree, [first]: put(isTree(below) ? below : {}, rest, value) };
}

function encode(value: Exclude<PropertyValue, undefined>): Buffer | number {
  if (typeof value === "string" || value instanceof Uint8Array) return bytesOf(value);
  if (typeof value === "boolean") return Buffer.from([Number(value)]);
  if (typeof value === "number" || typeof value === "bigint") return long(BigInt(value));
  if (value instanceof Date) return long(BigInt(value.getTime()) * 1_000_000n);
  if (value instanceof HeaderMap) return encodePairs(onePairAName(value));
  // Envoy cannot serialise a tree.
  return status.serializationFailure;
}

function onePairAName(map: HeaderMap): readonly Pair[] {
  const names = new Set(map.pairs.map(([name]) => name));
  return [...names].map((name) => [name, allValues(map, name).toString("latin1")] as const);
}

function allValues(map: HeaderMap, name: ByteString): Buffer {
  const values = map.pairs.filter(([own]) => own === name.toLowerCase()).map(([, value]) => value);
  return Buffer.from(values.join(","), "latin1");
}

function long(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(BigInt.asIntN(64, value));
  return bytes;
}

function isTree(value: PropertyValue): value is PropertyTree {
  return (
    typeof value === "object" && !(value instanceof Uint8Array || value instanceof Date || value instanceof HeaderMap)
  );
}
