import { JsonKind } from "./json-value";

/** What the reader expects next. */
enum State {
  /** Inside a string or a name. */
  String,
  /** After a value: a comma, or the end of the object or list. */
  After,
  Value,
  FirstElement,
  FirstName,
  Name,
  Colon,
  Escape,
  Unicode,
  /** The rest of a character with several bytes. */
  Wide,
  Minus,
  Zero,
  Whole,
  Point,
  Fraction,
  Exponent,
  ExponentSign,
  ExponentDigits,
  Word,
  Failed,
}

/**
 * Reads a JSON text as its bytes arrive, in pieces of any size. It calls a subclass for each value, and stores only the
 * current string or number. It accepts exactly RFC 8259 in UTF-8 without a byte order mark. It does not detect
 * duplicate names.
 */
export abstract class JsonReader {
  /** The position of the byte that is being read. */
  at: u32 = 0;
  /** The number of open objects and lists. */
  depth: i32 = 0;
  /** Why the text is rejected; empty while it is valid. `at` is then the position of the fault. */
  fault: string = "";

  /** The last string, name, number or word, decoded to UTF-8. Only its first `textCapacity` bytes are stored. */
  protected text: StaticArray<u8>;
  /** Its length in bytes. More than `textCapacity` when only the start was stored. */
  protected textSize: i32 = 0;
  /** The number of characters of a string or name. */
  protected characters: i32 = 0;
  /** True when a string or name has half of a surrogate pair, which UTF-8 cannot encode. */
  protected loneSurrogate: bool = false;
  /** The hash of a name. Two different names have the same hash with a probability of 2^-64. */
  protected nameHash: u64 = 0;

  private state: State = State.Value;
  private naming: bool = false;
  /** For each open object or list, true when it is a list. */
  private lists: StaticArray<bool>;
  /** For an escape \u: the number of digits read, and their value. */
  private digits: i32 = 0;
  private unit: u32 = 0;
  /** The first half of a surrogate pair; 0 when the last character was none. */
  private high: u32 = 0;
  /** For a character with several bytes: the number of bytes left, and the range of the next one. */
  private wideLeft: i32 = 0;
  private wideLeast: u32 = 0;
  private wideMost: u32 = 0;
  /** The word that is being read: "true", "false" or "null". */
  private word: string = "";
  private hashSeed: u64;

  /** `hashSeed` should be random when the text comes from clients. */
  constructor(maxDepth: i32, textCapacity: i32, hashSeed: u64 = 0) {
    this.lists = new StaticArray<bool>(maxDepth);
    this.text = new StaticArray<u8>(textCapacity);
    this.hashSeed = hashSeed;
  }

  /** A value begins with the byte that is being read. */
  protected onValue(_kind: JsonKind): void {}

  /** A value ended with the byte before the one that is being read. */
  protected onValueEnd(_kind: JsonKind): void {}

  /** The name of a member was read. */
  protected onName(): void {}

  /** Rejects the text at the current position. */
  protected reject(fault: string): void {
    if (this.fault === "") this.fault = fault;
  }

  /** Reads the next bytes. False when the text is rejected. */
  read(bytes: usize, size: usize): bool {
    const end = bytes + size;
    const origin = this.at - <u32>bytes;
    for (let from = bytes; this.state !== State.Failed; ) {
      if (this.state === State.String) from = this.readPlain(from, end);
      this.at = origin + <u32>from;
      if (from === end) return true;
      this.state = this.step(load<u8>(from++));
    }
    return false;
  }

  /** Ends the text. False when it is rejected. */
  finish(): bool {
    if (this.inNumber()) this.state = this.ended(JsonKind.Number);
    if (this.state === State.Value && this.depth === 0) this.reject("a value is expected");
    else if (this.state !== State.After || this.depth > 0) this.reject("more is expected");
    return this.fault === "";
  }

  /** The methods that read a byte return the next state. */
  private step(byte: u32): State {
    switch (this.state) {
      case State.String:
        return this.stepString(byte);
      case State.After:
        return this.stepAfter(byte);
      case State.Value:
        return this.stepValue(byte, State.Value);
      case State.FirstElement:
        return byte === 0x5d /* ] */ ? this.close(JsonKind.Array) : this.stepValue(byte, State.FirstElement);
      case State.FirstName:
        return byte === 0x7d /* } */ ? this.close(JsonKind.Object) : this.stepName(byte, State.FirstName);
      case State.Name:
        return this.stepName(byte, State.Name);
      case State.Colon:
        if (isSpace(byte)) return State.Colon;
        return byte === 0x3a /* : */ ? State.Value : this.failed('":" is expected');
      case State.Escape:
        return this.stepEscape(byte);
      case State.Unicode:
        return this.stepUnicode(byte);
      case State.Wide:
        return this.stepWide(byte);
      case State.Word:
        return this.stepWord(byte);
      default:
        return this.stepNumber(byte);
    }
  }

  private failed(fault: string): State {
    this.reject(fault);
    return State.Failed;
  }

  /** The state, unless the subclass has rejected the text. */
  private unlessRejected(state: State): State {
    return this.fault === "" ? state : State.Failed;
  }

  private stepValue(byte: u32, same: State): State {
    if (isSpace(byte)) return same;
    if (byte === 0x22 /* " */) {
      this.onValue(JsonKind.String);
      return this.beginString(false);
    }
    if (byte === 0x7b /* { */) return this.open(JsonKind.Object);
    if (byte === 0x5b /* [ */) return this.open(JsonKind.Array);
    if (isDigit(byte) || byte === 0x2d /* - */) {
      this.onValue(JsonKind.Number);
      this.beginText(byte);
      return this.unlessRejected(byte === 0x2d ? State.Minus : byte === 0x30 ? State.Zero : State.Whole);
    }
    if (byte === 0x74 /* t */) return this.beginWord("true", JsonKind.Boolean, byte);
    if (byte === 0x66 /* f */) return this.beginWord("false", JsonKind.Boolean, byte);
    if (byte === 0x6e /* n */) return this.beginWord("null", JsonKind.Null, byte);
    return this.failed("a value is expected");
  }

  private stepName(byte: u32, same: State): State {
    if (isSpace(byte)) return same;
    return byte === 0x22 /* " */ ? this.beginString(true) : this.failed("a name in double quotes is expected");
  }

  private stepAfter(byte: u32): State {
    if (isSpace(byte)) return State.After;
    if (this.depth === 0) return this.failed("nothing more is expected");
    const inList = unchecked(this.lists[this.depth - 1]);
    if (byte === 0x2c /* , */) return inList ? State.Value : State.Name;
    if (inList && byte === 0x5d /* ] */) return this.close(JsonKind.Array);
    if (!inList && byte === 0x7d /* } */) return this.close(JsonKind.Object);
    return this.failed(inList ? '"," or "]" is expected' : '"," or "}" is expected');
  }

  private open(kind: JsonKind): State {
    this.onValue(kind);
    if (this.depth === this.lists.length) return this.failed(`nesting is limited to ${this.depth.toString()} levels`);
    const isList = kind === JsonKind.Array;
    unchecked((this.lists[this.depth++] = isList));
    return this.unlessRejected(isList ? State.FirstElement : State.FirstName);
  }

  private close(kind: JsonKind): State {
    this.depth--;
    this.at++;
    return this.ended(kind);
  }

  private ended(kind: JsonKind): State {
    this.onValueEnd(kind);
    return this.unlessRejected(State.After);
  }

  /** Begins a number or a word. */
  private beginText(first: u32): void {
    this.textSize = 0;
    this.characters = 0;
    this.keep(first);
  }

  private keep(byte: u32): void {
    if (this.textSize < this.text.length) unchecked((this.text[this.textSize] = <u8>byte));
    this.textSize++;
    if (this.naming) this.nameHash = mixed(this.nameHash, byte);
  }

  private beginString(naming: bool): State {
    this.textSize = 0;
    this.characters = 0;
    this.naming = naming;
    this.nameHash = this.hashSeed;
    this.loneSurrogate = false;
    return this.unlessRejected(State.String);
  }

  private endString(): State {
    this.at++;
    if (!this.naming) return this.ended(JsonKind.String);
    this.naming = false;
    this.onName();
    return this.unlessRejected(State.Colon);
  }

  /** Reads characters of one byte that need no decoding. Returns where others begin. */
  private readPlain(from: usize, end: usize): usize {
    let to = from;
    while (to < end && isPlain(load<u8>(to))) to++;
    const size = <i32>(to - from);
    if (size === 0) return to;
    this.endHigh();
    this.characters += size;
    const room = this.text.length - this.textSize;
    if (room > 0) memory.copy(changetype<usize>(this.text) + this.textSize, from, min(size, room));
    this.textSize += size;
    if (this.naming) for (let each = from; each < to; each++) this.nameHash = mixed(this.nameHash, load<u8>(each));
    return to;
  }

  /** Reads a byte of a string that is not plain. */
  private stepString(byte: u32): State {
    if (byte === 0x5c /* \ */) return State.Escape;
    this.endHigh();
    if (byte === 0x22 /* " */) return this.endString();
    return byte < 0x20 ? this.failed("a control character must be escaped") : this.beginWide(byte);
  }

  /** https://www.unicode.org/versions/latest/core-spec/chapter-3/#G27506, table 3-7. */
  private beginWide(byte: u32): State {
    if (byte < 0xc2 || byte > 0xf4) return this.failed("this is not UTF-8");
    this.wideLeft = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    this.wideLeast = byte === 0xe0 ? 0xa0 : byte === 0xf0 ? 0x90 : 0x80;
    this.wideMost = byte === 0xed ? 0x9f : byte === 0xf4 ? 0x8f : 0xbf;
    this.characters++;
    this.keep(byte);
    return State.Wide;
  }

  private stepWide(byte: u32): State {
    if (byte < this.wideLeast || byte > this.wideMost) return this.failed("this is not UTF-8");
    this.wideLeast = 0x80;
    this.wideMost = 0xbf;
    this.keep(byte);
    return --this.wideLeft === 0 ? State.String : State.Wide;
  }

  private stepEscape(byte: u32): State {
    if (byte === 0x75 /* u */) {
      this.digits = 0;
      this.unit = 0;
      return State.Unicode;
    }
    const escaped = escapedBy(byte);
    if (escaped < 0) return this.failed("this escape is not known");
    this.endHigh();
    this.characters++;
    this.keep(escaped);
    return State.String;
  }

  private stepUnicode(byte: u32): State {
    const lower = byte | 0x20;
    if (isDigit(byte)) this.unit = (this.unit << 4) | (byte - 0x30);
    else if (lower >= 0x61 && lower <= 0x66 /* a to f */) this.unit = (this.unit << 4) | (lower - 0x57);
    else return this.failed("four hexadecimal digits are expected");
    if (++this.digits < 4) return State.Unicode;
    this.keepUnit(this.unit);
    return State.String;
  }

  /** Stores a unit of UTF-16. A surrogate pair becomes one character. */
  private keepUnit(unit: u32): void {
    const isLow = unit >= 0xdc00 && unit <= 0xdfff;
    if (isLow && this.high !== 0) {
      this.keepCharacter(0x10000 + ((this.high - 0xd800) << 10) + (unit - 0xdc00));
      this.high = 0;
      return;
    }
    this.endHigh();
    if (unit >= 0xd800 && unit <= 0xdbff) {
      this.high = unit;
      return;
    }
    if (isLow) this.loneSurrogate = true;
    this.keepCharacter(unit);
  }

  /** Stores the first half of a surrogate pair when the second half did not follow. */
  private endHigh(): void {
    if (this.high === 0) return;
    this.loneSurrogate = true;
    this.keepCharacter(this.high);
    this.high = 0;
  }

  private keepCharacter(code: u32): void {
    this.characters++;
    if (code < 0x80) {
      this.keep(code);
      return;
    }
    if (code < 0x800) this.keep(0xc0 | (code >> 6));
    else {
      if (code < 0x10000) this.keep(0xe0 | (code >> 12));
      else {
        this.keep(0xf0 | (code >> 18));
        this.keep(0x80 | ((code >> 12) & 0x3f));
      }
      this.keep(0x80 | ((code >> 6) & 0x3f));
    }
    this.keep(0x80 | (code & 0x3f));
  }

  private beginWord(word: string, kind: JsonKind, first: u32): State {
    this.onValue(kind);
    this.word = word;
    this.beginText(first);
    return this.unlessRejected(State.Word);
  }

  private stepWord(byte: u32): State {
    if (byte !== this.word.charCodeAt(this.textSize)) return this.failed("a value is expected");
    this.keep(byte);
    if (this.textSize < this.word.length) return State.Word;
    this.at++;
    return this.ended(this.word === "null" ? JsonKind.Null : JsonKind.Boolean);
  }

  private stepNumber(byte: u32): State {
    const next = this.numberState(byte);
    if (next !== State.After) {
      this.keep(byte);
      return next;
    }
    if (!this.inNumber()) return this.failed("a digit is expected");
    return this.ended(JsonKind.Number) === State.After ? this.stepAfter(byte) : State.Failed;
  }

  /** The state after a byte of a number; `After` when the byte is not part of the number. */
  private numberState(byte: u32): State {
    const digit = isDigit(byte);
    const isExponent = (byte | 0x20) === 0x65; /* e */
    switch (this.state) {
      case State.Minus:
        return !digit ? State.After : byte === 0x30 ? State.Zero : State.Whole;
      case State.Zero:
      case State.Whole:
        if (digit && this.state === State.Whole) return State.Whole;
        return byte === 0x2e /* . */ ? State.Point : isExponent ? State.Exponent : State.After;
      case State.Point:
        return digit ? State.Fraction : State.After;
      case State.Fraction:
        return digit ? State.Fraction : isExponent ? State.Exponent : State.After;
      default:
        if (digit) return State.ExponentDigits;
        if (this.state !== State.Exponent) return State.After;
        return byte === 0x2b /* + */ || byte === 0x2d /* - */ ? State.ExponentSign : State.After;
    }
  }

  /** True when a number may end here. */
  private inNumber(): bool {
    const state = this.state;
    return state === State.Zero || state === State.Whole || state === State.Fraction || state === State.ExponentDigits;
  }
}

function isSpace(byte: u32): bool {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function isDigit(byte: u32): bool {
  return byte - 0x30 < 10;
}

/** True for a character of one byte in a string that is neither quote nor backslash. */
function isPlain(byte: u32): bool {
  return byte - 0x20 < 0x60 && byte !== 0x22 /* " */ && byte !== 0x5c /* \ */;
}

/** The character that an escape means, by the byte after the backslash; less than 0 when it is not an escape. */
function escapedBy(byte: u32): i32 {
  switch (byte) {
    case 0x22 /* " */:
    case 0x5c /* \ */:
    case 0x2f /* / */:
      return byte;
    case 0x62 /* b */:
      return 0x08;
    case 0x66 /* f */:
      return 0x0c;
    case 0x6e /* n */:
      return 0x0a;
    case 0x72 /* r */:
      return 0x0d;
    case 0x74 /* t */:
      return 0x09;
    default:
      return -1;
  }
}

function mixed(hash: u64, byte: u64): u64 {
  const product = (hash ^ byte) * 0x9e3779b97f4a7c15;
  return product ^ (product >> 32);
}
