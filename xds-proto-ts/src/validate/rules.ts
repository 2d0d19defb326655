import type { DescEnum } from "@bufbuild/protobuf";
import {
  isReflectMessage,
  type ReflectList,
  type ReflectMap,
  type ReflectMessage,
  reflect,
} from "@bufbuild/protobuf/reflect";
import type { Duration } from "@bufbuild/protobuf/wkt";
import { type FieldRules, KnownRegex } from "../../gen/validate/validate_pb.js";
import { messageSchema } from "../registry.ts";

/** Returns the message of a violation, as protoc-gen-validate words it; undefined when the value is valid. */
export type Check = (value: unknown) => string | undefined;

/** Creates the check of one rule from its limit. Some rules also depend on the other rules of the field. */
type Rule = (limit: unknown, beside: ReflectMessage, type: DescEnum | undefined) => Check;

type Order = number | bigint | string | boolean;

/** Every rule on single values that the API uses. For a new rule of a later version, typeChecks throws. */
const rules: Readonly<Record<string, Rule>> = {
  const: (limit) => bound("equal to", limit, (value, wanted) => value === wanted),
  lt: (limit) => bound("less than", limit, (value, end) => value < end),
  lte: (limit) => bound("less than or equal to", limit, (value, end) => value <= end),
  gt: (limit) => bound("greater than", limit, (value, end) => value > end),
  gte: (limit) => bound("greater than or equal to", limit, (value, end) => value >= end),
  in: (limit) => {
    const allowed = [...(limit as ReflectList<Order>)];
    return (value) => failing(allowed.includes(value as Order), `value must be in list [${allowed.join(", ")}]`);
  },
  not_in: (limit) => {
    const banned = [...(limit as ReflectList<Order>)];
    return (value) => failing(!banned.includes(value as Order), `value must not be in list [${banned.join(", ")}]`);
  },
  defined_only: (limit, _, type) => {
    const defined = new Set(type?.values.map((value) => value.number));
    return (value) => failing(!limit || defined.has(value as number), "value must be one of the defined enum values");
  },
  min_len: (limit) => (value) =>
    failing(length(value) >= Number(limit), `value length must be at least ${limit} ${unit(value)}`),
  max_len: (limit) => (value) =>
    failing(length(value) <= Number(limit), `value length must be at most ${limit} ${unit(value)}`),
  max_bytes: (limit) => (value) =>
    failing(Buffer.byteLength(value as string) <= Number(limit), `value length must be at most ${limit} bytes`),
  pattern: (limit) => matching(new RegExp(limit as string, "u")),
  prefix: (limit) => (value) =>
    failing((value as string).startsWith(limit as string), `value does not have prefix "${limit}"`),
  suffix: (limit) => (value) =>
    failing((value as string).endsWith(limit as string), `value does not have suffix "${limit}"`),
  well_known_regex: (limit, beside) => {
    if (!settingOf(beside, "strict")) return matching(anyHeader);
    return matching(limit === KnownRegex.HTTP_HEADER_NAME ? headerName : headerValue);
  },
  min_items: (limit) => (value) =>
    failing((value as ReflectList).size >= Number(limit), `value must contain at least ${limit} item(s)`),
  max_items: (limit) => (value) =>
    failing((value as ReflectList).size <= Number(limit), `value must contain no more than ${limit} item(s)`),
  unique: (limit) => (value) => {
    const { size } = value as ReflectList;
    const isUnique = !limit || new Set(value as ReflectList).size === size;
    return failing(isUnique, "repeated value must contain unique items");
  },
  min_pairs: (limit) => (value) =>
    failing((value as ReflectMap).size >= Number(limit), `value must contain at least ${limit} pair(s)`),
};

/** Entries of the rules that are not checks of the value itself. */
const otherSettings = new Set(["ignore_empty", "strict", "required", "items", "keys", "values"]);

// The expressions of protoc-gen-validate. Header values must not contain these control characters.
const headerName = /^:?[0-9a-zA-Z!#$%&'*+\-.^_|~`]+$/;
const headerValue = /^[^\u0000-\u0008\u000A-\u001F\u007F]*$/;
const anyHeader = /^[^\u0000\u000A\u000D]*$/;

export interface NamedCheck {
  /** The rule by its name in validate.proto: "string.min_len". */
  readonly rule: string;
  readonly check: Check;
}

/** The checks for the rules of a field, on a value of its kind. */
export function typeChecks(field: FieldRules | undefined, type?: DescEnum): readonly NamedCheck[] {
  const set = ruleSet(field);
  if (field === undefined || set === undefined) return [];
  const checks: NamedCheck[] = [];
  for (const each of set.sortedFields) {
    if (!set.isSet(each) || otherSettings.has(each.name)) continue;
    const rule = rules[each.name];
    if (rule === undefined) throw new Error(`Cannot check ${each}: src/validate/rules.ts does not know this rule`);
    const check = rule(set.get(each), set, type);
    checks.push({ rule: `${field.type.case}.${each.name}`, check });
  }
  if (!settingOf(set, "ignore_empty")) return checks;
  return checks.map(({ rule, check }) => ({ rule, check: (value) => (isEmpty(value) ? undefined : check(value)) }));
}

/** True when a field must be set. Durations and Any have separate rules for this. */
export function requiresValue(field: FieldRules | undefined): boolean {
  const set = ruleSet(field);
  return field?.message?.required === true || (set !== undefined && settingOf(set, "required"));
}

/** The rules for the kind of the field, such as StringRules or DurationRules. */
function ruleSet(field: FieldRules | undefined): ReflectMessage | undefined {
  const set = field?.type.value;
  const schema = set && messageSchema(set.$typeName);
  return schema && reflect(schema, set, false);
}

/** The value of a boolean rule: its default when it is not set, false when this kind of value has no such rule. */
function settingOf(set: ReflectMessage, name: string): boolean {
  const field = set.fields.find((each) => each.name === name);
  return field !== undefined && set.get(field) === true;
}

function failing(holds: boolean, message: string): string | undefined {
  return holds ? undefined : message;
}

function matching(pattern: RegExp): Check {
  return (value) => failing(pattern.test(value as string), `value does not match regex pattern "${pattern.source}"`);
}

function bound(words: string, limit: unknown, holds: (value: Order, limit: Order) => boolean): Check {
  const end = order(limit);
  const message = `value must be ${words} ${shown(limit)}`;
  return (value) => failing(holds(order(value), end), message);
}

/** The value to compare; for durations, their nanoseconds. */
function order(value: unknown): Order {
  if (!isReflectMessage(value)) return value as Order;
  const { seconds, nanos } = value.message as Duration;
  return seconds * 1_000_000_000n + BigInt(nanos);
}

function shown(limit: unknown): string {
  if (!isReflectMessage(limit)) return String(limit);
  const { seconds, nanos } = limit.message as Duration;
  return `${Number(seconds) + nanos / 1e9}s`;
}

/** The length: code points of a string, or bytes. */
function length(value: unknown): number {
  if (typeof value !== "string") return (value as Uint8Array).length;
  let count = 0;
  for (const _ of value) count++;
  return count;
}

function unit(value: unknown): string {
  return typeof value === "string" ? "characters" : "bytes";
}

function isEmpty(value: unknown): boolean {
  return value === "" || value === 0 || value === 0n;
}
