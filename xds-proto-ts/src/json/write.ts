import {
  type DescField,
  type DescMessage,
  fromBinary,
  type JsonObject,
  type JsonValue,
  toJson as libraryToJson,
  type Message,
  type MessageShape,
} from "@bufbuild/protobuf";
import { type ReflectList, type ReflectMap, type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import { base64Encode } from "@bufbuild/protobuf/wire";
import type { Any } from "@bufbuild/protobuf/wkt";
import { messageSchema } from "../registry.ts";
import { hasOwnJson } from "./leaf.ts";

/** The maximum depth of Any inside Any that is decoded. A deeper Any is written as bytes. */
const maxAnyDepth = 32;

/**
 * The JSON form of a message, with field names in snake case as in Envoy's documentation. Unlike the library, it can
 * write an Any of an unknown type: as "value" with the bytes in base64.
 */
export function toJson<S extends DescMessage>(schema: S, message: MessageShape<S>): JsonValue {
  return messageJson(schema, message, 0);
}

function messageJson(schema: DescMessage, message: Message, anyDepth: number): JsonValue {
  if (schema.typeName === "google.protobuf.Any") return anyJson(message as Any, anyDepth);
  if (hasOwnJson(schema)) return libraryToJson(schema, message);
  const fields = reflect(schema, message);
  const result: JsonObject = {};
  for (const field of fields.sortedFields) {
    if (fields.isSet(field)) result[field.name] = fieldJson(field, fields.get(field), anyDepth);
  }
  return result;
}

function fieldJson(field: DescField, value: unknown, anyDepth: number): JsonValue {
  switch (field.fieldKind) {
    case "list":
      return Array.from(value as ReflectList, (item) => valueJson(field, item, anyDepth));
    case "map": {
      const entries = Array.from(value as ReflectMap, ([key, item]) => [String(key), valueJson(field, item, anyDepth)]);
      return Object.fromEntries(entries);
    }
    default:
      return valueJson(field, value, anyDepth);
  }
}

function valueJson(field: DescField, value: unknown, anyDepth: number): JsonValue {
  if (field.message) return messageJson(field.message, (value as ReflectMessage).message, anyDepth);
  if (field.enum) {
    if (field.enum.typeName === "google.protobuf.NullValue") return null;
    return field.enum.value[value as number]?.name ?? (value as number);
  }
  if (value instanceof Uint8Array) return base64Encode(value);
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  return value as JsonValue;
}

function anyJson({ typeUrl, value }: Any, anyDepth: number): JsonValue {
  if (typeUrl === "" && value.length === 0) return {};
  const inside = anyDepth < maxAnyDepth ? contentJson(typeUrl, value, anyDepth + 1) : undefined;
  return { "@type": typeUrl, ...(inside ?? { value: base64Encode(value) }) };
}

/** The members beside "@type"; undefined when the bytes cannot be decoded. */
function contentJson(typeUrl: string, bytes: Uint8Array, anyDepth: number): JsonObject | undefined {
  const schema = messageSchema(typeUrl);
  if (schema === undefined) return undefined;
  try {
    const json = messageJson(schema, fromBinary(schema, bytes), anyDepth);
    return hasOwnJson(schema) ? { value: json } : (json as JsonObject);
  } catch {
    return undefined;
  }
}
