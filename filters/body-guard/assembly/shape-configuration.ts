import { JsonKind, JsonValue } from "@chancery/filter-sdk";
import { Allowed, Property, Shape } from "./shape";

/**
 * The supported keywords. Others are rejected: an ignored keyword would let bodies pass that its author wants to
 * reject.
 */
const keywords = [
  "type",
  "enum",
  "minimum",
  "maximum",
  "minLength",
  "maxLength",
  "items",
  "minItems",
  "maxItems",
  "properties",
  "required",
  "additionalProperties",
];

/** Reads a shape and the shapes inside it. Every fault is added to the JSON's problems. */
export function readShape(json: JsonValue): Shape {
  const shape = new Shape();
  json.onlyMembers(keywords);
  if (json.member("type").exists) readTypes(json.member("type"), shape);
  if (json.member("enum").exists) shape.allowed = readEnum(json.member("enum"));
  if (json.member("minimum").exists) shape.minimum = json.member("minimum").asNumber();
  if (json.member("maximum").exists) shape.maximum = json.member("maximum").asNumber();
  shape.minLength = readCount(json.member("minLength"), shape.minLength);
  shape.maxLength = readCount(json.member("maxLength"), shape.maxLength);
  shape.minItems = readCount(json.member("minItems"), shape.minItems);
  shape.maxItems = readCount(json.member("maxItems"), shape.maxItems);
  if (json.member("items").exists) shape.items = readShape(json.member("items"));
  readProperties(json.member("properties"), shape);
  readRequired(json.member("required"), shape);
  readAdditional(json.member("additionalProperties"), shape);
  return shape;
}

function readTypes(json: JsonValue, shape: Shape): void {
  const types = json.kind === JsonKind.Array ? json.elements : [json];
  if (types.length === 0) json.fault("should name a type");
  shape.kinds = 0;
  const names: string[] = [];
  for (let i = 0; i < types.length; i++) {
    const type = types[i].asOneOf(["object", "array", "string", "number", "integer", "boolean", "null"]);
    names.push(type);
    shape.kinds |= 1 << kindOf(type);
  }
  shape.integer = names.includes("integer") && !names.includes("number");
  shape.types = names.join(" or ");
}

function kindOf(type: string): JsonKind {
  if (type === "object") return JsonKind.Object;
  if (type === "array") return JsonKind.Array;
  if (type === "string") return JsonKind.String;
  if (type === "boolean") return JsonKind.Boolean;
  return type === "null" ? JsonKind.Null : JsonKind.Number;
}

function readEnum(json: JsonValue): Allowed[] {
  const elements = json.asArray();
  if (json.kind === JsonKind.Array && elements.length === 0) json.fault("should list a value");
  const allowed: Allowed[] = [];
  for (let i = 0; i < elements.length; i++) {
    const kind = elements[i].kind;
    if (kind >= JsonKind.Array) elements[i].fault("should be a string, a number, true, false or null");
    const number = kind === JsonKind.Number ? elements[i].asNumber() : NaN;
    allowed.push(new Allowed(kind, writtenScalar(elements[i]), number));
  }
  return allowed;
}

/** A scalar as the reader of bodies stores it. */
function writtenScalar(json: JsonValue): string {
  if (json.kind === JsonKind.Null) return "null";
  if (json.kind === JsonKind.Boolean) return json.boolean ? "true" : "false";
  return json.text;
}

function readCount(json: JsonValue, otherwise: i32): i32 {
  return json.exists ? json.asInteger(0, i32.MAX_VALUE) : otherwise;
}

function readProperties(json: JsonValue, shape: Shape): void {
  if (!json.exists) return;
  json.onlyMembers(json.names);
  for (let i = 0; i < json.names.length; i++) {
    shape.properties.push(new Property(json.names[i], readShape(json.values[i])));
  }
}

function readRequired(json: JsonValue, shape: Shape): void {
  if (!json.exists) return;
  const names = json.asStrings();
  if (names.length > 64) json.fault("should be at most 64 names");
  for (let i = 0; i < names.length; i++) {
    let known = false;
    for (let at = 0; at < shape.properties.length; at++) {
      if (shape.properties[at].name !== names[i]) continue;
      known = true;
      shape.properties[at].requiredBit = (<u64>1) << i;
      shape.requiredBits |= shape.properties[at].requiredBit;
    }
    if (!known && json.elements[i].isString) json.elements[i].fault("should be one of the properties");
    if (names.indexOf(names[i]) < i) json.elements[i].fault("appears twice");
  }
}

function readAdditional(json: JsonValue, shape: Shape): void {
  if (!json.exists) return;
  if (json.kind !== JsonKind.Boolean) shape.additional = readShape(json);
  else shape.closed = !json.boolean;
}
