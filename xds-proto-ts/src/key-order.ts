import type { DescField, DescMessage, JsonValue, Message } from "@bufbuild/protobuf";

type Fields = Record<string, unknown>;

/** Returns the message with every map in the order of its keys. It copies only the parts that change. */
export function inKeyOrder<M extends Message>(schema: DescMessage, message: M): M {
  const before = message as unknown as Fields;
  let after: Fields | undefined;
  for (const { field, slot } of slotsWithMaps(schema)) {
    const value = before[slot];
    const ordered = field.oneof ? oneofInKeyOrder(field, value) : fieldInKeyOrder(field, value);
    if (ordered === value) continue;
    after ??= Object.assign(Object.create(Object.getPrototypeOf(message)), message) as Fields;
    after[slot] = ordered;
  }
  return (after as M | undefined) ?? message;
}

/** Returns a copy of the value with every object in the order of its keys. */
export function jsonInKeyOrder(json: JsonValue): JsonValue {
  if (Array.isArray(json)) return json.map(jsonInKeyOrder);
  if (typeof json !== "object" || json === null) return json;
  const entries = Object.entries(json).sort(byKey);
  return Object.fromEntries(entries.map(([key, value]) => [key, jsonInKeyOrder(value)]));
}

/** Compares entries by key, in UTF-16 code units like Array.sort. The order is the same on every machine. */
export function byKey(a: readonly [string, unknown], b: readonly [string, unknown]): number {
  return a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0;
}

function oneofInKeyOrder(field: DescField, value: unknown): unknown {
  const oneof = value as { readonly case?: string; readonly value?: unknown };
  if (oneof.case !== field.localName) return oneof;
  const ordered = fieldInKeyOrder(field, oneof.value);
  return ordered === oneof.value ? oneof : { case: oneof.case, value: ordered };
}

function fieldInKeyOrder(field: DescField, value: unknown): unknown {
  if (value === undefined) return value;
  switch (field.fieldKind) {
    case "list": {
      const list = value as readonly unknown[];
      const ordered = list.map((item) => valueInKeyOrder(field, item));
      return ordered.some((item, index) => item !== list[index]) ? ordered : list;
    }
    case "map":
      return mapInKeyOrder(field, value as Fields);
    default:
      return valueInKeyOrder(field, value);
  }
}

function mapInKeyOrder(field: DescField, map: Fields): Fields {
  const entries = Object.entries(map);
  let changed = false;
  let previous = "";
  for (const entry of entries) {
    const ordered = valueInKeyOrder(field, entry[1]);
    if (ordered !== entry[1] || entry[0] < previous) changed = true;
    entry[1] = ordered;
    previous = entry[0];
  }
  return changed ? Object.fromEntries(entries.sort(byKey)) : map;
}

function valueInKeyOrder(field: DescField, value: unknown): unknown {
  if (field.message === undefined || !holdsMaps(field.message)) return value;
  // The library stores a Struct as plain JSON in every field, except in google.protobuf.Value.
  const isJson =
    field.message.typeName === "google.protobuf.Struct" && field.parent.typeName !== "google.protobuf.Value";
  return isJson ? jsonInKeyOrder(value as JsonValue) : inKeyOrder(field.message, value as Message);
}

interface Slot {
  readonly field: DescField;
  /** The message's property for the field, or for its oneof. */
  readonly slot: string;
}

const slots = new WeakMap<DescMessage, readonly Slot[]>();

/** The fields that may contain a map. Most messages have none, and need no work. */
function slotsWithMaps(schema: DescMessage): readonly Slot[] {
  let found = slots.get(schema);
  if (found === undefined) {
    found = schema.fields
      .filter((field) => field.fieldKind === "map" || (field.message !== undefined && holdsMaps(field.message)))
      .map((field) => ({ field, slot: field.oneof?.localName ?? field.localName }));
    slots.set(schema, found);
  }
  return found;
}

const mapHolders = new WeakMap<DescMessage, boolean>();

function holdsMaps(schema: DescMessage): boolean {
  let holds = mapHolders.get(schema);
  if (holds === undefined) {
    holds = reachable(schema).some((each) => each.fields.some((field) => field.fieldKind === "map"));
    mapHolders.set(schema, holds);
  }
  return holds;
}

/** The message type and all types inside it, at any depth. */
function reachable(schema: DescMessage): readonly DescMessage[] {
  const found = new Set([schema]);
  for (const each of found) {
    for (const field of each.fields) if (field.message) found.add(field.message);
  }
  return [...found];
}
