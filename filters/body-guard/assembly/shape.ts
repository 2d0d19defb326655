import { JsonKind } from "@chancery/filter-sdk";

/** A value that an enum allows. */
@final
export class Allowed {
  kind: JsonKind;
  /** A string or a boolean as UTF-8. */
  text: ArrayBuffer;
  number: f64;

  constructor(kind: JsonKind, text: string, number: f64) {
    this.kind = kind;
    this.text = String.UTF8.encode(text);
    this.number = number;
  }
}

@final
export class Property {
  name: string;
  /** The name as UTF-8. */
  bytes: ArrayBuffer;
  shape: Shape;
  /** A unique bit when the property is required, else 0. */
  requiredBit: u64 = 0;

  constructor(name: string, shape: Shape) {
    this.name = name;
    this.bytes = String.UTF8.encode(name);
    this.shape = shape;
  }
}

/** The shape that a JSON value must have: a small part of JSON Schema. */
@final
export class Shape {
  /** A bit for each allowed `JsonKind`. */
  kinds: u32 = u32.MAX_VALUE;
  /** True: a number must be whole. */
  integer: bool = false;
  /** The types as faults write them. */
  types: string = "";
  allowed: Allowed[] | null = null;
  minimum: f64 = -Infinity;
  maximum: f64 = Infinity;
  /** The lengths are in characters. */
  minLength: i32 = 0;
  maxLength: i32 = i32.MAX_VALUE;
  minItems: i32 = 0;
  maxItems: i32 = i32.MAX_VALUE;
  items: Shape | null = null;
  properties: Property[] = [];
  /** The bits of all required properties. */
  requiredBits: u64 = 0;
  /** True: members that are not in `properties` are rejected. */
  closed: bool = false;
  /** The shape of such members, when they are allowed. */
  additional: Shape | null = null;

  /** The index of a property in `properties`, or -1. */
  indexOf(name: usize, size: i32): i32 {
    for (let i = 0; i < this.properties.length; i++) {
      const bytes = unchecked(this.properties[i]).bytes;
      if (bytes.byteLength === size && memory.compare(changetype<usize>(bytes), name, size) === 0) return i;
    }
    return -1;
  }

  /** True when the enum allows a scalar. `text` is the scalar as it is written; a string is decoded. */
  allows(kind: JsonKind, text: usize, size: i32, number: f64): bool {
    const allowed = this.allowed;
    if (!allowed) return true;
    for (let i = 0; i < allowed.length; i++) {
      const each = unchecked(allowed[i]);
      if (each.kind !== kind) continue;
      if (kind === JsonKind.Number) {
        if (each.number === number) return true;
      } else if (each.text.byteLength === size && memory.compare(changetype<usize>(each.text), text, size) === 0) {
        return true;
      }
    }
    return false;
  }

  /** The length of the longest name or enum string in this shape and the shapes inside it, in bytes. */
  longestText(): i32 {
    let longest = 0;
    const allowed = this.allowed;
    if (allowed) for (let i = 0; i < allowed.length; i++) longest = max(longest, allowed[i].text.byteLength);
    for (let i = 0; i < this.properties.length; i++) {
      const property = this.properties[i];
      longest = max(longest, max(property.bytes.byteLength, property.shape.longestText()));
    }
    const items = this.items;
    if (items) longest = max(longest, items.longestText());
    const additional = this.additional;
    return additional ? max(longest, additional.longestText()) : longest;
  }
}
