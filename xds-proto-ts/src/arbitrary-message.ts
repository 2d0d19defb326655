import { create as createTyped, type DescField, type DescMessage, type Message, ScalarType } from "@bufbuild/protobuf";
import fc from "fast-check";
import { encode } from "./encode.ts";
import { registry } from "./registry.ts";

/** A random message of a schema, for tests. It has few fields and a small depth, and all values have a JSON form. */
export function arbitraryMessage(schema: DescMessage, depth = 3): fc.Arbitrary<Message> {
  const special = specialMessage(schema, depth);
  if (special) return special;
  const fields = schema.fields.filter((field) => depth > 0 || field.message === undefined);
  return fc
    .subarray(fields, { maxLength: Math.min(8, fields.length) })
    .chain((chosen) => fc.tuple(...chosen.map((field) => arbitraryField(field, depth))))
    .map((settings) => create(schema, Object.assign({}, ...settings)));
}

function create(schema: DescMessage, fields: Record<string, unknown>): Message {
  return createTyped(schema, fields);
}

/** The argument of create for one field. When several members of a oneof are chosen, the last one wins. */
function arbitraryField(field: DescField, depth: number): fc.Arbitrary<Record<string, unknown>> {
  const name = field.oneof?.localName ?? field.localName;
  return arbitraryValue(field, depth).map((value) => ({
    [name]: field.oneof ? { case: field.localName, value } : value,
  }));
}

function arbitraryValue(field: DescField, depth: number): fc.Arbitrary<unknown> {
  const one = arbitraryItem(field, depth);
  switch (field.fieldKind) {
    case "list":
      return fc.array(one, { maxLength: 3 });
    case "map": {
      const key = field.mapKey === ScalarType.STRING ? arbitraryKey() : arbitraryScalar(field.mapKey).map(String);
      return fc.array(fc.tuple(key, one), { maxLength: 4 }).map((entries) => Object.fromEntries(entries));
    }
    default:
      return one;
  }
}

function arbitraryItem(field: DescField, depth: number): fc.Arbitrary<unknown> {
  if (field.message) {
    const isJson =
      field.message.typeName === "google.protobuf.Struct" && field.parent.typeName !== "google.protobuf.Value";
    if (isJson) return arbitraryStruct();
    const message = arbitraryMessage(field.message, depth - 1);
    const isUnwrapped =
      field.fieldKind === "message" && !field.oneof && /\.\w+[a-z\d]Value$/.test(field.message.typeName);
    if (!isUnwrapped || !field.message.typeName.startsWith("google.protobuf.")) return message;
    if (field.message.typeName === "google.protobuf.ListValue") return message;
    return message.map((wrapper) => (wrapper as unknown as { value: unknown }).value);
  }
  if (field.enum) return fc.constantFrom(...field.enum.values.map((value) => value.number));
  return arbitraryScalar(field.scalar as ScalarType);
}

function arbitraryScalar(type: ScalarType): fc.Arbitrary<unknown> {
  switch (type) {
    case ScalarType.STRING:
      return fc.string({ maxLength: 8 });
    case ScalarType.BOOL:
      return fc.boolean();
    case ScalarType.BYTES:
      return fc.uint8Array({ maxLength: 8 });
    case ScalarType.DOUBLE:
      return fc.double();
    case ScalarType.FLOAT:
      return fc.float();
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n });
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return fc.nat(0xffffffff);
    default:
      return fc.integer();
  }
}

/** Random keys. Some of them have a special meaning in JavaScript. */
function arbitraryKey(): fc.Arbitrary<string> {
  return fc.oneof(
    fc.string({ maxLength: 4 }),
    fc.constantFrom("10", "9", "__proto__", "$typeName", "a", "A", "é", "💡"),
  );
}

function arbitraryStruct(): fc.Arbitrary<Record<string, unknown>> {
  const { struct } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      fc.constant(null),
      fc.boolean(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.string({ maxLength: 4 }),
      fc.array(tie("value"), { maxLength: 3 }),
      tie("struct"),
    ),
    struct: fc.array(fc.tuple(arbitraryKey(), tie("value")), { maxLength: 3 }).map((each) => Object.fromEntries(each)),
  }));
  return struct as fc.Arbitrary<Record<string, unknown>>;
}

const anyContents = ["envoy.config.core.v3.Metadata", "envoy.type.v3.Percent", "google.protobuf.Duration"];

/** Random messages of the types where most values have no JSON form. */
function specialMessage(schema: DescMessage, depth: number): fc.Arbitrary<Message> | undefined {
  switch (schema.typeName) {
    case "google.protobuf.Any":
      return fc.constantFrom(...anyContents).chain((name) => {
        const inner = registry.getMessage(name) as DescMessage;
        return arbitraryMessage(inner, depth - 1).map((message) =>
          create(schema, { typeUrl: `type.googleapis.com/${name}`, value: encode(inner, message) }),
        );
      });
    case "google.protobuf.Duration":
      return fc
        .tuple(fc.integer({ min: 0, max: 100_000 }), fc.nat(999_999_999), fc.constantFrom(1, -1))
        .map(([seconds, nanos, sign]) => create(schema, { seconds: BigInt(sign * seconds), nanos: sign * nanos }));
    case "google.protobuf.Timestamp":
      return fc
        .tuple(fc.nat(4_000_000_000), fc.nat(999_999_999))
        .map(([seconds, nanos]) => create(schema, { seconds: BigInt(seconds), nanos }));
    case "google.protobuf.FieldMask":
      return fc.array(fc.constantFrom("a", "b_c", "d.e"), { maxLength: 3 }).map((paths) => create(schema, { paths }));
    case "google.protobuf.Value":
      return fc.oneof(fc.string({ maxLength: 4 }), fc.boolean()).map((value) =>
        create(schema, {
          kind: typeof value === "string" ? { case: "stringValue", value } : { case: "boolValue", value },
        }),
      );
    default:
      return undefined;
  }
}
