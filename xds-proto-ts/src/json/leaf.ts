import { type DescEnum, type DescMessage, fromJson, type JsonValue, ScalarType } from "@bufbuild/protobuf";
import {
  BoolValueSchema,
  BytesValueSchema,
  DoubleValueSchema,
  DurationSchema,
  FieldMaskSchema,
  FloatValueSchema,
  Int32ValueSchema,
  Int64ValueSchema,
  StringValueSchema,
  TimestampSchema,
  UInt32ValueSchema,
  UInt64ValueSchema,
} from "@bufbuild/protobuf/wkt";
import { nearest } from "./nearest.ts";

/** A fault of a value that has no parts. */
export interface LeafFault {
  readonly message: string;
  readonly hint?: string | undefined;
}

interface Leaf {
  /** A message of the library with the same JSON form. The value is valid when the library can read it. */
  readonly schema: DescMessage;
  readonly wanted: string;
  readonly hint?: (json: unknown) => string | undefined;
}

const int32: Leaf = { schema: Int32ValueSchema, wanted: "a whole number from -2147483648 to 2147483647" };
const uint32: Leaf = { schema: UInt32ValueSchema, wanted: "a whole number from 0 to 4294967295" };
const int64: Leaf = { schema: Int64ValueSchema, wanted: "a whole number of 64 bits" };
const uint64: Leaf = { schema: UInt64ValueSchema, wanted: "a whole number of 64 bits, 0 or more" };

const scalars: Readonly<Record<ScalarType, Leaf>> = {
  [ScalarType.STRING]: { schema: StringValueSchema, wanted: "a string", hint: quoted },
  [ScalarType.BOOL]: { schema: BoolValueSchema, wanted: "true or false", hint: unquoted },
  [ScalarType.BYTES]: { schema: BytesValueSchema, wanted: "bytes in base64" },
  [ScalarType.DOUBLE]: { schema: DoubleValueSchema, wanted: "a number" },
  [ScalarType.FLOAT]: { schema: FloatValueSchema, wanted: "a number" },
  [ScalarType.INT32]: int32,
  [ScalarType.SINT32]: int32,
  [ScalarType.SFIXED32]: int32,
  [ScalarType.UINT32]: uint32,
  [ScalarType.FIXED32]: uint32,
  [ScalarType.INT64]: int64,
  [ScalarType.SINT64]: int64,
  [ScalarType.SFIXED64]: int64,
  [ScalarType.UINT64]: uint64,
  [ScalarType.FIXED64]: uint64,
};

const messages: ReadonlyMap<string, Leaf> = new Map<string, Leaf>([
  [DurationSchema.typeName, { schema: DurationSchema, wanted: 'a duration such as "1.5s"', hint: inSeconds }],
  [TimestampSchema.typeName, { schema: TimestampSchema, wanted: 'a time such as "2026-01-31T12:00:00Z"' }],
  [FieldMaskSchema.typeName, { schema: FieldMaskSchema, wanted: 'names of fields such as "a,b.c"' }],
  ...Object.values(scalars).map((leaf) => [leaf.schema.typeName, leaf] as const),
]);

/** True for messages that are one plain value in JSON: durations, times, wrapped scalars. */
export function isLeafMessage(schema: DescMessage): boolean {
  return messages.has(schema.typeName);
}

/**
 * True for messages that are the "value" beside "@type" in an Any, because their JSON form is not an object of their
 * fields.
 */
export function hasOwnJson(schema: DescMessage): boolean {
  return isLeafMessage(schema) || /^google\.protobuf\.(Any|Struct|Value|ListValue)$/.test(schema.typeName);
}

export function leafMessageFault(schema: DescMessage, json: unknown): LeafFault | undefined {
  const leaf = messages.get(schema.typeName);
  return leaf && leafFault(leaf, json);
}

export function scalarFault(type: ScalarType, json: unknown): LeafFault | undefined {
  return leafFault(scalars[type], json);
}

export function enumFault(type: DescEnum, json: unknown): LeafFault | undefined {
  if (typeof json === "number") return leafFault(int32, json);
  const names = type.values.map((value) => value.name);
  if (typeof json !== "string") return { message: `expected ${listed(names)}, got ${kindOf(json)}` };
  if (names.includes(json)) return undefined;
  const near = nearest(json, names);
  return {
    message: `not a value of ${type.typeName}`,
    hint: near === undefined ? `write ${listed(names)}` : `did you mean "${near}"?`,
  };
}

/** The name of a JSON value's kind in messages: "a list", "a string". */
export function kindOf(json: unknown): string {
  if (json === null) return "null";
  if (Array.isArray(json)) return "a list";
  switch (typeof json) {
    case "object":
      return "an object";
    case "undefined":
      return "nothing";
    default:
      return `a ${typeof json}`;
  }
}

function leafFault(leaf: Leaf, json: unknown): LeafFault | undefined {
  // Most values are strings. They need no further check.
  if (leaf === scalars[ScalarType.STRING] && typeof json === "string" && json.isWellFormed()) return undefined;
  if (json !== null) {
    try {
      fromJson(leaf.schema, json as JsonValue);
      return undefined;
    } catch {
      // The message below replaces the library's error, in terms of the JSON.
    }
  }
  const got = `a ${typeof json}` === leaf.wanted || typeof json === "number" ? "" : `, got ${kindOf(json)}`;
  return { message: `expected ${leaf.wanted}${got}`, hint: leaf.hint?.(json) };
}

function quoted(json: unknown): string | undefined {
  return typeof json === "number" || typeof json === "boolean" ? `put it in quotes: "${json}"` : undefined;
}

function unquoted(json: unknown): string | undefined {
  if (typeof json !== "string") return undefined;
  if (/^(true|yes|y|on)$/i.test(json)) return "write true, without quotes";
  if (/^(false|no|n|off)$/i.test(json)) return "write false, without quotes";
  return undefined;
}

const secondsOfUnit: Readonly<Record<string, number>> = { ns: 1e-9, us: 1e-6, ms: 1e-3, s: 1, m: 60, min: 60, h: 3600 };

function inSeconds(json: unknown): string | undefined {
  const [, amount, unit = "s"] = /^(\d+(?:\.\d+)?)\s*([a-z]+)?$/.exec(String(json)) ?? [];
  const seconds = Number(amount) * (secondsOfUnit[unit] ?? Number.NaN);
  return Number.isFinite(seconds) ? `write "${Number(seconds.toFixed(9))}s"` : undefined;
}

const maxListed = 12;

function listed(names: readonly string[]): string {
  const more = names.length > maxListed ? ` or ${names.length - maxListed} more` : "";
  return `one of ${names.slice(0, maxListed).join(", ")}${more}`;
}
