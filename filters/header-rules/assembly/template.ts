import { get_property, HeaderStreamManipulator, JsonValue } from "@chancery/filter-sdk";
import { readableName } from "./names";
import { Part, PartKind, partsOf } from "./parts";
import { Pattern } from "./pattern";

/** The parts of the request that rules for responses use, as it arrived at this filter. */
@final
export class RequestNotes {
  /** The names of the headers, and the first value of each; null when the header was missing. */
  names: string[];
  private values: (ArrayBuffer | null)[] = [];
  /** For each rule for responses, true when the request matches. */
  matched: bool[] = [];

  constructor(names: string[], headers: HeaderStreamManipulator) {
    this.names = names;
    for (let i = 0; i < names.length; i++) this.values.push(firstOf(headers, names[i]));
  }

  value(name: string): ArrayBuffer | null {
    return this.values[this.names.indexOf(name)];
  }
}

/** A part of a value. */
abstract class Piece {
  /** Null when the variable has no value. */
  abstract valueIn(headers: HeaderStreamManipulator, notes: RequestNotes | null): ArrayBuffer | null;
}

@final
class LiteralPiece extends Piece {
  private bytes: ArrayBuffer;

  constructor(text: string) {
    super();
    this.bytes = String.UTF8.encode(text);
  }

  valueIn(_headers: HeaderStreamManipulator, _notes: RequestNotes | null): ArrayBuffer | null {
    return this.bytes;
  }
}

@final
class HeaderPiece extends Piece {
  private name: string;

  constructor(name: string) {
    super();
    this.name = name;
  }

  valueIn(headers: HeaderStreamManipulator, _notes: RequestNotes | null): ArrayBuffer | null {
    return firstOf(headers, this.name);
  }
}

@final
class RequestPiece extends Piece {
  private name: string;

  constructor(name: string) {
    super();
    this.name = name;
  }

  valueIn(_headers: HeaderStreamManipulator, notes: RequestNotes | null): ArrayBuffer | null {
    return notes ? notes.value(this.name) : null;
  }
}

@final
class PropertyPiece extends Piece {
  private path: string;

  constructor(path: string) {
    super();
    this.path = path;
  }

  valueIn(_headers: HeaderStreamManipulator, _notes: RequestNotes | null): ArrayBuffer | null {
    const bytes = get_property(this.path);
    return bytes.byteLength > 0 && isText(bytes) ? bytes : null;
  }
}

@final
class CapturePiece extends Piece {
  private pattern: Pattern;
  private name: string;

  constructor(pattern: Pattern, name: string) {
    super();
    this.pattern = pattern;
    this.name = name;
  }

  valueIn(_headers: HeaderStreamManipulator, _notes: RequestNotes | null): ArrayBuffer | null {
    return this.pattern.captured(this.name);
  }
}

/** A value with variables. */
@final
export class Template {
  /** The literal text before the first variable. */
  beginning: string = "";
  private pieces: Piece[] = [];

  /**
   * The value may use the captures of `pattern`. Request headers that it uses are added to `noted`; null for requests.
   */
  static read(json: JsonValue, pattern: Pattern | null, noted: string[] | null): Template {
    const template = new Template();
    const parts = partsOf(json, false);
    if (parts.length > 0 && parts[0].kind === PartKind.Literal) template.beginning = parts[0].text;
    for (let i = 0; i < parts.length; i++) template.pieces.push(readPiece(json, parts[i], pattern, noted));
    return template;
  }

  /** Null when one of the variables has no value. */
  valueIn(headers: HeaderStreamManipulator, notes: RequestNotes | null): ArrayBuffer | null {
    if (this.pieces.length === 1) return this.pieces[0].valueIn(headers, notes);
    const values: ArrayBuffer[] = [];
    let size = 0;
    for (let i = 0; i < this.pieces.length; i++) {
      const value = this.pieces[i].valueIn(headers, notes);
      if (!value) return null;
      values.push(value);
      size += value.byteLength;
    }
    const whole = new ArrayBuffer(size);
    let at = changetype<usize>(whole);
    for (let i = 0; i < values.length; i++) {
      memory.copy(at, changetype<usize>(values[i]), values[i].byteLength);
      at += values[i].byteLength;
    }
    return whole;
  }
}

function readPiece(json: JsonValue, part: Part, pattern: Pattern | null, noted: string[] | null): Piece {
  const text = part.text;
  if (part.kind === PartKind.Literal) return new LiteralPiece(text);
  if (text.startsWith("header:")) return new HeaderPiece(readableName(json, text.substring("header:".length)));
  if (text.startsWith("property:") && text.length > "property:".length) {
    return new PropertyPiece(text.substring("property:".length));
  }
  if (text.startsWith("request:") && noted !== null) {
    const name = readableName(json, text.substring("request:".length));
    if (!noted.includes(name)) noted.push(name);
    return new RequestPiece(name);
  }
  if (pattern !== null && text !== "" && pattern.names.includes(text)) return new CapturePiece(pattern, text);
  const others = pattern !== null ? ", or a capture of the pattern" : "";
  const request = noted !== null ? ", {request:NAME}" : "";
  json.fault(`{${text}} is unknown; use {header:NAME}, {property:PATH}${request}${others}`);
  return new LiteralPiece("");
}

function firstOf(headers: HeaderStreamManipulator, name: string): ArrayBuffer | null {
  const values = headers.values(name);
  return values.length > 0 ? values[0] : null;
}

/**
 * False when a header cannot contain the bytes. Envoy's numbers are arbitrary bytes, and a line end would begin a
 * header.
 */
function isText(bytes: ArrayBuffer): bool {
  const from = changetype<usize>(bytes);
  for (let i = 0; i < bytes.byteLength; i++) {
    const byte = load<u8>(from + i);
    if (byte < 0x20 || byte === 0x7f) return false;
  }
  return true;
}
