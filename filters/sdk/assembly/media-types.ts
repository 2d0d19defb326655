import { lowerCase } from "./ascii";
import { JsonValue } from "./json-value";

/** Media types of a configuration: `application/json`, or a pattern with one star: `text/*`, `*+json`, `*`. */
@final
export class MediaTypes {
  private patterns: string[];

  /** The patterns must be in lower case. */
  constructor(patterns: string[]) {
    this.patterns = patterns;
  }

  /**
   * True when the value of a content-type matches. Its parameters are ignored. A value that is not a media type never
   * matches.
   */
  matches(contentType: string): bool {
    const parameters = contentType.indexOf(";");
    const type = lowerCase((parameters < 0 ? contentType : contentType.substring(0, parameters)).trim());
    if (!isMediaType(type)) return false;
    for (let i = 0; i < this.patterns.length; i++) if (patternMatches(this.patterns[i], type)) return true;
    return false;
  }
}

/** Reads a configuration's list of media types. */
export function readMediaTypes(json: JsonValue): MediaTypes {
  const patterns = json.asStrings();
  if (json.exists && patterns.length === 0) json.fault("should name a media type");
  for (let i = 0; i < patterns.length; i++) {
    if (!json.elements[i].isString) continue;
    patterns[i] = lowerCase(patterns[i]);
    const star = patterns[i].indexOf("*");
    const plain = patterns[i].replace("*", "");
    if (star !== 0 && !patterns[i].includes("/")) json.elements[i].fault('should be a media type, such as "text/*"');
    else if (!isToken(plain.replace("/", ""))) json.elements[i].fault("should be a media type, with at most one *");
  }
  return new MediaTypes(patterns);
}

function patternMatches(pattern: string, type: string): bool {
  const star = pattern.indexOf("*");
  if (star < 0) return type === pattern;
  if (type.length < pattern.length - 1) return false;
  return type.startsWith(pattern.substring(0, star)) && type.endsWith(pattern.substring(star + 1));
}

function isMediaType(type: string): bool {
  const slash = type.indexOf("/");
  return slash > 0 && slash < type.length - 1 && isToken(type.replace("/", ""));
}

/** https://www.rfc-editor.org/rfc/rfc9110#name-tokens, without the star. */
function isToken(text: string): bool {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    const isLetterOrDigit = (unit >= 0x30 && unit <= 0x39) || ((unit | 0x20) >= 0x61 && (unit | 0x20) <= 0x7a);
    if (!isLetterOrDigit && !"!#$%&'+-.^_`|~".includes(text.charAt(i))) return false;
  }
  return true;
}
