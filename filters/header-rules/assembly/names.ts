import { JsonValue, lowerCase } from "@chancery/filter-sdk";

/** They say how a message is framed or belong to one connection: Envoy writes them itself. */
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

/** Whether no rule may change it. */
export function isFraming(name: string): bool {
  return framing.includes(name);
}

/** The name of a header that is only read, in lower case; pseudo headers too. */
export function readableName(json: JsonValue, name: string): string {
  const lower = lowerCase(name);
  if (!isToken(lower.startsWith(":") ? lower.substring(1) : lower)) json.fault(`"${name}" is not the name of a header`);
  return lower === "host" ? ":authority" : lower;
}

/** The name of a header that a rule changes, in lower case. */
export function changedName(json: JsonValue, pseudo: string[]): string {
  const name = lowerCase(json.asString());
  if (!json.isString) return name;
  if (name.startsWith(":")) {
    const allowed = pseudo.length === 0 ? "no pseudo header" : `of the pseudo headers only ${pseudo.join(" and ")}`;
    if (!pseudo.includes(name)) json.fault(`may change ${allowed}, not ${name}`);
  } else if (!isToken(name)) json.fault(`"${name}" is not the name of a header`);
  else if (name === "host") json.fault('is ":authority" to Envoy: write that');
  else if (isFraming(name)) json.fault(`${name} is about the connection or the framing, which Envoy sees to`);
  return name;
}

/** How the names of headers begin that are removed, in lower case. */
export function changedPrefix(json: JsonValue, prefix: string): string {
  if (!isToken(prefix)) json.fault(`"${prefix}" is not how the name of a header begins`);
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

/** And the star, which stands for any ending. */
const SEPARATORS: string = '*"(),/:;<=>?@[\\]{}';
