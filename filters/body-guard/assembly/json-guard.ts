import { JsonKind, JsonReader } from "@chancery/filter-sdk";
import { NameSet } from "./name-set";
import { Shape } from "./shape";

/** The maximum length of a number. No number needs more, and exact JSON readers are slow for longer ones. */
const LONGEST_NUMBER: i32 = 100;
/** The maximum number of reported faults of the shape. Then reading stops. */
const MOST_FAULTS: i32 = 8;
const LONGEST_PATH: i32 = 200;

/** The limits of a JSON body. */
@final
export class JsonLimits {
  depth: i32 = 32;
  /** The maximum number of members of one object. */
  members: i32 = 1000;
  /** The maximum number of elements of one list. */
  elements: i32 = 10_000;
  /** The maximum length of a string or a name, in characters. */
  stringLength: i32 = 65_536;
  shape: Shape | null = null;
  /** The longest text that is compared, in bytes. */
  textCapacity: i32 = LONGEST_NUMBER;
}

/** Checks a JSON body as it arrives. Its faults contain only names that are in the shape, and no values. */
@final
export class JsonGuard extends JsonReader {
  /** Why the body is rejected: "malformed", "limits", "duplicate" or "shape". Empty while it is valid. */
  reason: string = "";
  /** The faults with their paths. */
  faults: string[] = [];

  private limits: JsonLimits;
  private names: NameSet = new NameSet();
  private objects: u64 = 0;
  /** The shape of the current value at each depth; null for any shape. */
  private shapes: StaticArray<Shape | null>;
  private kinds: StaticArray<JsonKind>;
  /** The number of members or elements so far of the current object or list at each depth. */
  private counts: StaticArray<i32>;
  /** For the current object at each depth: a unique id, the missing required properties, and the current property. */
  private objectIds: StaticArray<u64>;
  private missing: StaticArray<u64>;
  private properties: StaticArray<i32>;

  constructor(limits: JsonLimits, hashSeed: u64) {
    super(limits.depth, limits.textCapacity, hashSeed);
    this.limits = limits;
    const levels = limits.depth + 1;
    this.shapes = new StaticArray<Shape | null>(levels);
    this.kinds = new StaticArray<JsonKind>(levels);
    this.counts = new StaticArray<i32>(levels);
    this.objectIds = new StaticArray<u64>(levels);
    this.missing = new StaticArray<u64>(levels);
    this.properties = new StaticArray<i32>(levels);
  }

  /** Ends the body. True when all of it is valid. */
  isGood(): bool {
    if (this.finish()) {
      if (this.faults.length > 0) this.reason = "shape";
    } else this.endFault();
    return this.reason === "";
  }

  /** Reads the next bytes. False when they contain a fault that ends the reading. */
  accepts(bytes: usize, size: usize): bool {
    if (!this.read(bytes, size)) this.endFault();
    return this.reason === "";
  }

  /** Sets the reason after the reader stopped. Without a reason so far, the text is malformed. */
  private endFault(): void {
    if (this.reason !== "") return;
    this.reason = "malformed";
    this.faults = [`at byte ${this.at.toString()}: ${this.fault}`];
  }

  protected override onValue(kind: JsonKind): void {
    const depth = this.depth;
    let shape: Shape | null = null;
    if (depth === 0) shape = this.limits.shape;
    else {
      const within = this.shapes[depth - 1];
      if (this.kinds[depth - 1] === JsonKind.Array) {
        if (++this.counts[depth - 1] > this.limits.elements)
          this.overLimit("elements", this.limits.elements, depth - 1);
        if (within) shape = within.items;
      } else if (within) {
        const property = this.properties[depth - 1];
        shape = property >= 0 ? within.properties[property].shape : within.additional;
      }
    }
    this.kinds[depth] = kind;
    this.shapes[depth] = shape && this.suits(shape, kind) ? shape : null;
    if (kind < JsonKind.Array) return;
    if (depth === this.limits.depth) this.overLimit("levels", depth, 0);
    this.counts[depth] = 0;
    this.properties[depth] = -1;
    this.objectIds[depth] = ++this.objects;
    this.missing[depth] = shape ? shape.requiredBits : 0;
  }

  protected override onName(): void {
    const within = this.depth - 1;
    this.properties[within] = -1;
    this.checkText();
    if (++this.counts[within] > this.limits.members) this.overLimit("members", this.limits.members, within);
    if (!this.names.add(this.nameHash + this.objectIds[within] * 0x9e3779b97f4a7c15)) {
      this.rejectBecause("duplicate", within, "a name appears twice");
    }
    const shape = this.shapes[within];
    if (!shape) return;
    const property = shape.indexOf(changetype<usize>(this.text), this.textSize);
    this.properties[within] = property;
    if (property >= 0) this.missing[within] &= ~shape.properties[property].requiredBit;
    else if (shape.closed) this.complain(within + 1, "is unknown");
  }

  protected override onValueEnd(kind: JsonKind): void {
    if (kind === JsonKind.String) this.checkText();
    if (kind === JsonKind.Number && this.textSize > LONGEST_NUMBER) {
      this.overLimit("characters in a number", LONGEST_NUMBER, this.depth);
    }
    const shape = this.shapes[this.depth];
    if (!shape) return;
    if (kind === JsonKind.Object) this.checkMembers(shape);
    else if (kind === JsonKind.Array)
      this.checkCount(this.counts[this.depth], shape.minItems, shape.maxItems, "elements");
    else this.checkScalar(shape, kind);
  }

  /** Checks a string or a name. */
  private checkText(): void {
    if (this.loneSurrogate) this.reject("half a surrogate pair is not a character");
    if (this.characters > this.limits.stringLength) {
      this.overLimit("characters in a string", this.limits.stringLength, this.depth);
    }
  }

  private checkScalar(shape: Shape, kind: JsonKind): void {
    const text = changetype<usize>(this.text);
    if (kind === JsonKind.String) this.checkCount(this.characters, shape.minLength, shape.maxLength, "characters");
    let number: f64 = NaN;
    if (kind === JsonKind.Number && this.textSize <= LONGEST_NUMBER) {
      number = numberOf(text, this.textSize);
      if (shape.integer && number !== Math.floor(number)) this.complain(this.depth, `should be ${shape.types}`);
      if (number < shape.minimum) this.complain(this.depth, `should be ${shown(shape.minimum)} or more`);
      if (number > shape.maximum) this.complain(this.depth, `should be ${shown(shape.maximum)} or less`);
    }
    if (!shape.allows(kind, text, this.textSize, number)) this.complain(this.depth, "is not one of the values allowed");
  }

  private checkMembers(shape: Shape): void {
    const missing = this.missing[this.depth];
    if (missing === 0) return;
    for (let i = 0; i < shape.properties.length; i++) {
      if ((missing & shape.properties[i].requiredBit) === 0) continue;
      this.properties[this.depth] = i;
      this.complain(this.depth + 1, "is missing");
    }
  }

  private checkCount(count: i32, least: i32, most: i32, what: string): void {
    if (count < least) this.complain(this.depth, `should have ${least.toString()} ${what} or more`);
    if (count > most) this.complain(this.depth, `should have ${most.toString()} ${what} or fewer`);
  }

  private suits(shape: Shape, kind: JsonKind): bool {
    if ((shape.kinds & (1 << kind)) === 0) {
      this.complain(this.depth, `should be ${shape.types}`);
      return false;
    }
    if (kind < JsonKind.Array || !shape.allowed) return true;
    this.complain(this.depth, "is not one of the values allowed");
    return false;
  }

  /** Adds a fault of the shape. Reading stops at the maximum number of faults. */
  private complain(depth: i32, message: string): void {
    if (this.reason !== "") return;
    this.faults.push(this.placed(depth, message));
    if (this.faults.length < MOST_FAULTS) return;
    this.reason = "shape";
    this.reject("shape");
  }

  private overLimit(what: string, most: i32, depth: i32): void {
    this.rejectBecause("limits", depth, `at most ${most.toString()} ${what} are allowed`);
  }

  private rejectBecause(reason: string, depth: i32, message: string): void {
    if (this.reason !== "" || this.fault !== "") return;
    this.reason = reason;
    this.faults = [this.placed(depth, message)];
    this.reject(reason);
  }

  private placed(depth: i32, message: string): string {
    const path = this.pathTo(depth);
    return path === "" ? message : `${path}: ${message}`;
  }

  /** The path: "items[2].price". A name that is not in the shape becomes a star, because it may be a secret. */
  private pathTo(depth: i32): string {
    let path = "";
    for (let i = 0; i < depth; i++) {
      if (this.kinds[i] === JsonKind.Array) path += `[${(this.counts[i] - 1).toString()}]`;
      else {
        const shape = this.shapes[i];
        const property = this.properties[i];
        const name = shape && property >= 0 ? shape.properties[property].name : "*";
        path += path === "" ? name : `.${name}`;
      }
    }
    return path.length > LONGEST_PATH ? `${path.substring(0, LONGEST_PATH)}...` : path;
  }
}

/**
 * Parses a number. Whole numbers need no string: a body may have many, and garbage is collected only between callbacks.
 */
function numberOf(text: usize, size: i32): f64 {
  const isNegative = load<u8>(text) === 0x2d; /* - */
  let whole: i64 = 0;
  for (let i = isNegative ? 1 : 0; i < size; i++) {
    const digit = <u32>load<u8>(text + i) - 0x30;
    if (digit > 9 || size > 15) return F64.parseFloat(String.UTF8.decodeUnsafe(text, size));
    whole = whole * 10 + digit;
  }
  return <f64>(isNegative ? -whole : whole);
}

/** Writes a whole number without a fraction. */
function shown(number: f64): string {
  const whole = <i64>number;
  return <f64>whole === number ? whole.toString() : number.toString();
}
