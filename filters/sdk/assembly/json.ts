import { decimal } from "./ascii";
import { JsonKind, JsonValue } from "./json-value";

/** Deeper nesting is rejected, so that a configuration cannot exhaust the stack. */
const DEEPEST: i32 = 32;

/** Reads a JSON text. Its faults are in `problems` of the returned value. */
export function parseJson(text: string): JsonValue {
  const root = new JsonValue(null, "", -1);
  new JsonParser(text, root).parse();
  return root;
}

/** Accepts exactly RFC 8259: no comments, no trailing commas, no duplicate names. Stops at the first fault. */
@final
class JsonParser {
  private text: string;
  private root: JsonValue;
  private at: i32 = 0;
  private failed: bool = false;

  constructor(text: string, root: JsonValue) {
    this.text = text;
    this.root = root;
  }

  parse(): void {
    this.skipSpace();
    if (!this.value(this.root, 0)) return;
    this.skipSpace();
    if (this.at < this.text.length) this.fail("nothing more is expected");
  }

  /** The reading methods return false when the text is not valid. */
  private value(into: JsonValue, depth: i32): bool {
    if (depth > DEEPEST) return this.fail(`nesting is limited to ${decimal(DEEPEST)} levels`);
    const unit = this.peek();
    if (unit === 0x7b /* { */) return this.object(into, depth);
    if (unit === 0x5b /* [ */) return this.array(into, depth);
    if (unit === 0x2d /* - */ || isDigit(unit)) return this.number(into);
    if (unit === 0x22 /* " */) {
      into.kind = JsonKind.String;
      into.text = this.string();
      return !this.failed;
    }
    if (this.word("null")) {
      into.kind = JsonKind.Null;
      return true;
    }
    into.kind = JsonKind.Boolean;
    into.boolean = this.word("true");
    return into.boolean || this.word("false") || this.fail("a value is expected");
  }

  private object(into: JsonValue, depth: i32): bool {
    into.kind = JsonKind.Object;
    this.at++;
    this.skipSpace();
    if (this.take(0x7d /* } */)) return true;
    while (true) {
      this.skipSpace();
      if (this.peek() !== 0x22 /* " */) return this.fail("a name in double quotes is expected");
      const start = this.at;
      const name = this.string();
      if (this.failed) return false;
      if (into.names.includes(name)) {
        this.at = start;
        return this.fail(`"${name}" appears twice`);
      }
      this.skipSpace();
      if (!this.take(0x3a /* : */)) return this.fail('":" is expected');
      this.skipSpace();
      const member = new JsonValue(into, name, -1);
      into.names.push(name);
      into.values.push(member);
      if (!this.value(member, depth + 1)) return false;
      this.skipSpace();
      if (this.take(0x7d /* } */)) return true;
      if (!this.take(0x2c /* , */)) return this.fail('"," or "}" is expected');
    }
  }

  private array(into: JsonValue, depth: i32): bool {
    into.kind = JsonKind.Array;
    this.at++;
    this.skipSpace();
    if (this.take(0x5d /* ] */)) return true;
    while (true) {
      this.skipSpace();
      const element = new JsonValue(into, "", into.elements.length);
      into.elements.push(element);
      if (!this.value(element, depth + 1)) return false;
      this.skipSpace();
      if (this.take(0x5d /* ] */)) return true;
      if (!this.take(0x2c /* , */)) return this.fail('"," or "]" is expected');
    }
  }

  private number(into: JsonValue): bool {
    const start = this.at;
    this.take(0x2d /* - */);
    if (!this.take(0x30 /* 0 */) && !this.digits()) return this.fail("a digit is expected");
    if (this.take(0x2e /* . */) && !this.digits()) return this.fail("a digit is expected");
    if (this.peek() === 0x65 || this.peek() === 0x45 /* e, E */) {
      this.at++;
      if (!this.take(0x2b /* + */)) this.take(0x2d /* - */);
      if (!this.digits()) return this.fail("a digit is expected");
    }
    into.kind = JsonKind.Number;
    into.text = this.text.substring(start, this.at);
    return true;
  }

  private string(): string {
    this.at++;
    let start = this.at;
    let decoded = "";
    while (true) {
      const unit = this.peek();
      if (unit === -1) break;
      if (unit === 0x22 /* " */) {
        decoded += this.text.substring(start, this.at);
        this.at++;
        return decoded;
      }
      if (unit < 0x20) {
        this.fail("a control character must be escaped");
        return "";
      }
      if (unit === 0x5c /* \ */) {
        decoded += this.text.substring(start, this.at) + this.escape();
        if (this.failed) return "";
        start = this.at;
      } else this.at++;
    }
    this.fail("a closing quote is expected");
    return "";
  }

  private escape(): string {
    this.at++;
    const unit = this.peek();
    this.at++;
    switch (unit) {
      case 0x22 /* " */:
        return '"';
      case 0x5c /* \ */:
        return "\\";
      case 0x2f /* / */:
        return "/";
      case 0x62 /* b */:
        return "\b";
      case 0x66 /* f */:
        return "\f";
      case 0x6e /* n */:
        return "\n";
      case 0x72 /* r */:
        return "\r";
      case 0x74 /* t */:
        return "\t";
      case 0x75 /* u */:
        return this.unicode();
      default:
        this.at--;
        this.fail("this escape is not known");
        return "";
    }
  }

  private unicode(): string {
    let unit = 0;
    for (let i = 0; i < 4; i++) {
      const digit = hexDigit(this.peek());
      if (digit < 0) {
        this.fail("four hexadecimal digits are expected");
        return "";
      }
      unit = (unit << 4) | digit;
      this.at++;
    }
    return String.fromCharCode(unit);
  }

  private word(word: string): bool {
    if (!this.text.startsWith(word, this.at)) return false;
    this.at += word.length;
    return true;
  }

  private digits(): bool {
    const start = this.at;
    while (isDigit(this.peek())) this.at++;
    return this.at > start;
  }

  private take(unit: i32): bool {
    if (this.peek() !== unit) return false;
    this.at++;
    return true;
  }

  /** The next unit, or -1 at the end. */
  private peek(): i32 {
    return this.at < this.text.length ? load<u16>(changetype<usize>(this.text) + ((<usize>this.at) << 1)) : -1;
  }

  private skipSpace(): void {
    for (let unit = this.peek(); unit === 0x20 || unit === 0x0a || unit === 0x0d || unit === 0x09; unit = this.peek()) {
      this.at++;
    }
  }

  private fail(message: string): bool {
    this.failed = true;
    let line = 1;
    let column = 1;
    for (let i = 0; i < this.at; i++) {
      column++;
      if (this.text.charCodeAt(i) === 0x0a) {
        line++;
        column = 1;
      }
    }
    const where = `line ${decimal(line)}, column ${decimal(column)}`;
    this.root.problems.push(`not JSON at ${where}: ${message}`);
    return false;
  }
}

function isDigit(unit: i32): bool {
  return unit >= 0x30 && unit <= 0x39;
}

function hexDigit(unit: i32): i32 {
  if (isDigit(unit)) return unit - 0x30;
  const lower = unit | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
