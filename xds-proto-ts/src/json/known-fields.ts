import { type DescField, type DescMessage, getOption } from "@bufbuild/protobuf";
import { sensitive } from "../../gen/udpa/annotations/sensitive_pb.js";

/** The fields of a message type, as a JSON reader needs them. */
export interface KnownFields {
  /** The fields by both spellings. */
  readonly byKey: ReadonlyMap<string, KnownField>;
  readonly names: readonly string[];
}

export interface KnownField {
  readonly field: DescField;
  /** True when Envoy marks the field as sensitive: logs must not contain it. */
  readonly secret: boolean;
}

const knownFieldsOf = new WeakMap<DescMessage, KnownFields>();

export function knownFields(schema: DescMessage): KnownFields {
  let known = knownFieldsOf.get(schema);
  if (known === undefined) {
    const entries = schema.fields.flatMap((field) => {
      const entry = { field, secret: getOption(field, sensitive) };
      return [[field.jsonName, entry] as const, [field.name, entry] as const];
    });
    known = { byKey: new Map(entries), names: schema.fields.map((field) => field.name) };
    knownFieldsOf.set(schema, known);
  }
  return known;
}
