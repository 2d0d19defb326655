import { JsonValue, lowerCase } from "@chancery/filter-sdk";

/** Headers of the message framing or of one connection. Envoy writes them itself. */
const framing: string[] = [
  "connection",
  "content-length",
  "http2-settings",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];

/** True when rules cannot change this header. */
export function isFraming(name: string): bool {
  return framing.includes(name);
}

/** Checks the name of a header that a rule reads. It may be a pseudo header. Returns it in lower case. */
export function readableName(json: JsonValue, name: string): string {
  const lower = lowerCase(name);
  if (!isToken(lower.startsWith(":") ? lower.substring(1) : lower)) json.fault(`"${name}" is not the name of a header`);
  return lower === "host" ? ":authority" : lower;
}

/**
 * Reads the name of a header that a rule changes. `pseudo` are the allowed pseudo headers. Returns it in lower case.
 */
export function changedName(json: JsonValue, pseudo: string[]): string {
  const name = lowerCase(json.asString());
  if (!json.isString) return name;
  if (name.startsWith(":")) {
    const allowed = pseudo.length === 0 ? "no pseudo header" : `only the pseudo headers ${pseudo.join(" and ")}`;
    if (!pseudo.includes(name)) json.fault(`may change ${allowed}, not ${name}`);
  } else if (!isToken(name)) json.fault(`"${name}" is not the name of a header`);
  else if (name === "host") json.fault('is called ":authority" in Envoy; use that name');
  else if (isFraming(name)) json.fault(`${name} belongs to the connection or the framing, which Envoy controls`);
  return name;
}

/** Checks the prefix of the headers that a rule removes. Returns it in lower case. */
export function changedPrefix(json: JsonValue, prefix: string): string {
  if (!isToken(prefix)) json.fault(`"${prefix}" is not a prefix of a header name`);
  return lowerCase(prefix);
}

/** https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2 */
function isToken(name: string): bool {
  if (name === "") return false;
  for (let i = 0; i < name.length; i++) {
    const unit = name.charCodeAt(i);
    if (unit <= 0x20 || unit >= 0x7f || SEPARATORS.includes(name.charAt(i))) return false;
  }
  return true;
}

/** The star is included, because it means a prefix. */
const SEPARATORS: string = '*"(),/:;<=>?@[\\]{}';
