/**
 * The parameters of a query in the format of HTML forms: separated by "&", a name ends at the first "=", "+" is a space
 * and "%41" a byte. A "%" without two hexadecimal digits after it is a plain "%". "&&" contains no parameter. Names and
 * values are stored with one byte in each unit, because escaped bytes need not be UTF-8.
 */
@final
export class Query {
  private names: string[] = [];
  private values: string[] = [];

  /** Parses the query of a path: the part after the first "?", without a fragment. */
  static of(path: string): Query {
    const query = new Query();
    const start = path.indexOf("?");
    if (start < 0) return query;
    const fragment = path.indexOf("#", start);
    const pieces = byteString(path.substring(start + 1, fragment < 0 ? path.length : fragment)).split("&");
    for (let i = 0; i < pieces.length; i++) if (pieces[i] !== "") query.add(pieces[i]);
    return query;
  }

  /** The number of parameters. */
  get length(): i32 {
    return this.names.length;
  }

  name(index: i32): string {
    return this.names[index];
  }

  value(index: i32): string {
    return this.values[index];
  }

  private add(piece: string): void {
    const equals = piece.indexOf("=");
    this.names.push(unescaped(equals < 0 ? piece : piece.substring(0, equals)));
    this.values.push(equals < 0 ? "" : unescaped(piece.substring(equals + 1)));
  }
}

/** The UTF-8 of a text, with one byte in each unit. */
export function byteString(text: string): string {
  if (String.UTF8.byteLength(text) === text.length) return text;
  const bytes = Uint8Array.wrap(String.UTF8.encode(text));
  const units = new Array<i32>(bytes.length);
  for (let i = 0; i < bytes.length; i++) units[i] = bytes[i];
  return String.fromCharCodes(units);
}

function unescaped(text: string): string {
  if (!text.includes("%") && !text.includes("+")) return text;
  const units: i32[] = [];
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    const byte = unit === 0x25 /* % */ ? escapedByte(text, i + 1) : -1;
    if (byte >= 0) i += 2;
    units.push(byte >= 0 ? byte : unit === 0x2b /* + */ ? 0x20 : unit);
  }
  return String.fromCharCodes(units);
}

/** The byte of two hexadecimal digits, or -1 when there are no such digits. */
function escapedByte(text: string, at: i32): i32 {
  if (at + 2 > text.length) return -1;
  const high = hexadecimal(text.charCodeAt(at));
  const low = hexadecimal(text.charCodeAt(at + 1));
  return high < 0 || low < 0 ? -1 : (high << 4) | low;
}

function hexadecimal(unit: i32): i32 {
  if (unit >= 0x30 && unit <= 0x39) return unit - 0x30;
  const lower = unit | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x61 + 10 : -1;
}
