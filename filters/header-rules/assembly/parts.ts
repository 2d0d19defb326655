import { JsonValue } from "@chancery/filter-sdk";

export enum PartKind {
  Literal,
  /** `*` */
  Star,
  /** `{...}` */
  Braced,
}

/** A part of a pattern or of a value, as it is written in the configuration. */
@final
export class Part {
  kind: PartKind;
  text: string;

  constructor(kind: PartKind, text: string) {
    this.kind = kind;
    this.text = text;
  }
}

/**
 * Splits a text into `{...}`, `*` (with `stars`) and literals. A doubled `{`, `}` or `*` means the character itself.
 */
export function partsOf(json: JsonValue, stars: bool): Part[] {
  const text = json.asString();
  const parts: Part[] = [];
  let literal = "";
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    const special = unit === OPEN || unit === CLOSE || (stars && unit === STAR);
    if (special && i + 1 < text.length && text.charCodeAt(i + 1) === unit) i++;
    else if (special) {
      if (literal !== "") parts.push(new Part(PartKind.Literal, literal));
      literal = "";
      if (unit === STAR) parts.push(new Part(PartKind.Star, "*"));
      else {
        const end = unit === OPEN ? text.indexOf("}", i) : -1;
        if (end < 0) {
          json.fault("has an unmatched brace; write {{ or }} for a brace");
          return parts;
        }
        parts.push(new Part(PartKind.Braced, text.substring(i + 1, end)));
        i = end;
      }
      continue;
    }
    if (unit < 0x20 || unit === 0x7f) json.fault("has a control character, which a header must not contain");
    literal += text.charAt(i);
  }
  if (literal !== "") parts.push(new Part(PartKind.Literal, literal));
  return parts;
}

const OPEN: i32 = 0x7b; /* { */
const CLOSE: i32 = 0x7d; /* } */
const STAR: i32 = 0x2a; /* * */
