import { decimal } from "./ascii";

export enum JsonKind {
  Missing,
  Null,
  Boolean,
  Number,
  String,
  Array,
  Object,
}

/**
 * One value of a JSON text, or the place of a missing value. The `as` methods return the value in the wanted type. When
 * it has another type, they return a default and add a fault to `problems`. Read everything, then reject the text if
 * there are faults.
 */
@final
export class JsonValue {
  kind: JsonKind = JsonKind.Missing;
  boolean: bool = false;
  /** The decoded string, or the number as it is written. */
  text: string = "";
  elements: JsonValue[] = [];
  /** The names of the members, in the order of the text. */
  names: string[] = [];
  values: JsonValue[] = [];
  /** The faults of the whole text. All its values share this list. */
  readonly problems: string[];

  private parent: JsonValue | null;
  private name: string;
  private index: i32;

  constructor(parent: JsonValue | null, name: string, index: i32) {
    this.problems = parent ? parent.problems : [];
    this.parent = parent;
    this.name = name;
    this.index = index;
  }

  /** The path of the value: "rules[2].match.path". Empty for the whole document. */
  get path(): string {
    const parent = this.parent;
    if (!parent) return "";
    const above = parent.path;
    if (this.index >= 0) return `${above}[${decimal(this.index)}]`;
    return above === "" ? this.name : `${above}.${this.name}`;
  }

  get exists(): bool {
    return this.kind !== JsonKind.Missing;
  }

  get isString(): bool {
    return this.kind === JsonKind.String;
  }

  /** Adds a fault of this value. */
  fault(message: string): void {
    const path = this.path;
    this.problems.push(path === "" ? message : `${path}: ${message}`);
  }

  /** The member with this name, which may be missing. `onlyMembers` checks that this is an object. */
  member(name: string): JsonValue {
    const at = this.names.indexOf(name);
    return at >= 0 ? this.values[at] : new JsonValue(this, name, -1);
  }

  /** Checks that this is an object without other members than these. */
  onlyMembers(known: string[]): void {
    if (!this.demand(JsonKind.Object, "an object")) return;
    for (let i = 0; i < this.names.length; i++) {
      if (!known.includes(this.names[i])) this.values[i].fault(`is unknown; known names are ${known.join(", ")}`);
    }
  }

  asString(): string {
    return this.demand(JsonKind.String, "a string") ? this.text : "";
  }

  asBoolean(): bool {
    return this.demand(JsonKind.Boolean, "true or false") && this.boolean;
  }

  asInteger(least: i32, most: i32): i32 {
    const wish = `a whole number from ${decimal(least)} to ${decimal(most)}`;
    if (!this.demand(JsonKind.Number, wish)) return least;
    if (isWhole(this.text)) {
      const number = I64.parseInt(this.text);
      if (number >= least && number <= most) return <i32>number;
    }
    this.fault(`should be ${wish}, is ${this.text}`);
    return least;
  }

  asNumber(): f64 {
    return this.demand(JsonKind.Number, "a number") ? F64.parseFloat(this.text) : 0;
  }

  /** A string that must be one of these words. */
  asOneOf(words: string[]): string {
    const wish = `one of ${words.join(", ")}`;
    if (!this.demand(JsonKind.String, wish)) return words[0];
    if (words.includes(this.text)) return this.text;
    this.fault(`should be ${wish}, is "${this.text}"`);
    return words[0];
  }

  /** The elements of a list. */
  asArray(): JsonValue[] {
    return this.demand(JsonKind.Array, "a list") ? this.elements : [];
  }

  asStrings(): string[] {
    const elements = this.asArray();
    const strings = new Array<string>(elements.length).fill("");
    for (let i = 0; i < elements.length; i++) strings[i] = elements[i].asString();
    return strings;
  }

  private demand(kind: JsonKind, wish: string): bool {
    if (this.kind === kind) return true;
    this.fault(`should be ${wish}, is ${kindName(this.kind)}`);
    return false;
  }
}

/** True when the number has no fraction and no exponent, and fits into 64 bits. */
function isWhole(number: string): bool {
  return number.length <= 18 && !number.includes(".") && !number.includes("e") && !number.includes("E");
}

function kindName(kind: JsonKind): string {
  switch (kind) {
    case JsonKind.Missing:
      return "missing";
    case JsonKind.Null:
      return "null";
    case JsonKind.Boolean:
      return "a boolean";
    case JsonKind.Number:
      return "a number";
    case JsonKind.String:
      return "a string";
    case JsonKind.Array:
      return "a list";
    default:
      return "an object";
  }
}
