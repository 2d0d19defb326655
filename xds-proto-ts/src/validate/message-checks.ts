import { type DescField, type DescMessage, type DescOneof, fromBinary, getOption, hasOption } from "@bufbuild/protobuf";
import { type ReflectList, type ReflectMap, type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import { type Any, FeatureSet_FieldPresence, isWrapperDesc } from "@bufbuild/protobuf/wkt";
import { type FieldRules, rules as fieldRules, required as oneofRequired } from "../../gen/validate/validate_pb.js";
import { type Path, pathText } from "../path.ts";
import { messageSchema } from "../registry.ts";
import { type NamedCheck, requiresValue, typeChecks } from "./rules.ts";

/** A rule that a message violates. */
export interface Violation {
  /** The path, with the names in the .proto files: "load_assignment.endpoints[0].priority". */
  readonly path: string;
  /** The rule by its name in validate.proto: "string.min_len". */
  readonly rule: string;
  readonly message: string;
}

export interface Place extends Path {
  /** The number of Any messages around this place. */
  readonly anyDepth: number;
}

/** Adds the violations of a message, or of one value of a field, to `found`. */
export type MessageCheck = (message: ReflectMessage, at: Place, found: Violation[]) => void;
type ValueCheck = (value: unknown, at: Place, found: Violation[]) => void;

const maxAnyDepth = 32;

const compiled = new WeakMap<DescMessage, MessageCheck>();

/** The check of a message type and of all types inside it. It is compiled at its first use. */
export function messageChecks(schema: DescMessage): MessageCheck {
  if (schema.typeName === "google.protobuf.Any") return anyCheck;
  let check = compiled.get(schema);
  if (check === undefined) {
    const parts: MessageCheck[] = [];
    check = (message, at, found) => {
      for (const part of parts) part(message, at, found);
    };
    // A type may contain itself, so its check must be registered before its parts are compiled.
    compiled.set(schema, check);
    for (const oneof of schema.oneofs) if (getOption(oneof, oneofRequired)) parts.push(oneofCheck(oneof));
    for (const field of schema.fields) parts.push(...fieldChecks(field));
  }
  return check;
}

function oneofCheck(oneof: DescOneof): MessageCheck {
  const message = `one of ${oneof.fields.map((field) => field.name).join(", ")} is required`;
  return (owner, at, found) => {
    if (owner.oneofCase(oneof)) return;
    found.push({ path: pathText(inside(at, oneof.name)), rule: "oneof.required", message });
  };
}

function fieldChecks(field: DescField): readonly MessageCheck[] {
  const rules = hasOption(field, fieldRules) ? getOption(field, fieldRules) : undefined;
  const checks: MessageCheck[] = [];
  // A member of a oneof is not required, because another member may be set.
  if (requiresValue(rules) && !field.oneof) checks.push(requiredCheck(field));
  const value = fieldValueCheck(field, rules);
  if (value === undefined) return checks;
  const checksUnset = field.presence === FeatureSet_FieldPresence.IMPLICIT;
  checks.push((owner, at, found) => {
    if (!checksUnset && !owner.isSet(field)) return;
    value(owner.get(field), inside(at, field.name), found);
  });
  return checks;
}

function requiredCheck(field: DescField): MessageCheck {
  return (owner, at, found) => {
    if (owner.isSet(field)) return;
    found.push({ path: pathText(inside(at, field.name)), rule: "message.required", message: "value is required" });
  };
}

function fieldValueCheck(field: DescField, rules: FieldRules | undefined): ValueCheck | undefined {
  switch (field.fieldKind) {
    case "list": {
      const itemRules = rules?.type.case === "repeated" ? rules.type.value.items : undefined;
      return listCheck(typeChecks(rules), itemCheck(field, itemRules, rules));
    }
    case "map": {
      const { keys, values } = rules?.type.case === "map" ? rules.type.value : {};
      return mapCheck(typeChecks(rules), typeChecks(keys), itemCheck(field, values, rules));
    }
    default:
      return itemCheck(field, rules, rules);
  }
}

function listCheck(whole: readonly NamedCheck[], item: ValueCheck | undefined): ValueCheck | undefined {
  if (whole.length === 0 && item === undefined) return undefined;
  return (value, at, found) => {
    run(whole, value, at, found);
    if (item === undefined) return;
    let index = 0;
    for (const each of value as ReflectList) item(each, inside(at, index++), found);
  };
}

function mapCheck(
  whole: readonly NamedCheck[],
  key: readonly NamedCheck[],
  item: ValueCheck | undefined,
): ValueCheck | undefined {
  if (whole.length === 0 && key.length === 0 && item === undefined) return undefined;
  return (value, at, found) => {
    run(whole, value, at, found);
    for (const [name, each] of value as ReflectMap) {
      const here = inside(at, String(name));
      run(key, name, here, found);
      item?.(each, here, found);
    }
  };
}

/** The check of one value. The rules of the `whole` field can disable the checks inside it. */
function itemCheck(
  field: DescField,
  rules: FieldRules | undefined,
  whole: FieldRules | undefined,
): ValueCheck | undefined {
  const checks = typeChecks(rules, field.enum);
  const skipped = rules?.message?.skip || whole?.message?.skip;
  const inside = field.message && !skipped && hasRules(field.message) ? messageChecks(field.message) : undefined;
  if (checks.length === 0 && inside === undefined) return undefined;
  const wrapped = field.message && isWrapperDesc(field.message) ? field.message.fields[0] : undefined;
  return (value, at, found) => {
    run(checks, wrapped ? (value as ReflectMessage).get(wrapped) : value, at, found);
    inside?.(value as ReflectMessage, at, found);
  };
}

/** The messages of protobuf itself have no rules, except for the content of an Any. */
function hasRules(schema: DescMessage): boolean {
  return schema.typeName === "google.protobuf.Any" || !schema.typeName.startsWith("google.protobuf.");
}

function anyCheck(any: ReflectMessage, at: Place, found: Violation[]): void {
  const { typeUrl, value } = any.message as Any;
  const schema = messageSchema(typeUrl);
  if (schema === undefined) return;
  const reject = (message: string) => found.push({ path: pathText(at), rule: "any", message });
  if (at.anyDepth === maxAnyDepth) {
    reject(`more than ${maxAnyDepth} messages packed inside one another`);
    return;
  }
  let content: ReflectMessage;
  try {
    content = reflect(schema, fromBinary(schema, value), false);
  } catch {
    reject(`value is not a ${schema.typeName}`);
    return;
  }
  messageChecks(schema)(content, { ...at, anyDepth: at.anyDepth + 1 }, found);
}

function run(checks: readonly NamedCheck[], value: unknown, at: Place, found: Violation[]): void {
  for (const { rule, check } of checks) {
    const message = check(value);
    if (message !== undefined) found.push({ path: pathText(at), rule, message });
  }
}

function inside(at: Place, key: string | number): Place {
  return { within: at, key, anyDepth: at.anyDepth };
}
