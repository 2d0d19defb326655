import { upperCase } from "./ascii";
import { JsonValue } from "./json-value";
import { stream_context } from "./stream-context";

/** Which requests a rule is about: all that it names must match; one that names nothing matches every request. */
@final
export class RequestMatch {
  path: string | null = null;
  pathPrefix: string | null = null;
  /** Any when empty. */
  methods: string[] = [];

  /** Whether the request of the running callback, of that path, is one of them. */
  matches(requestPath: string): bool {
    const path = this.path;
    if (path !== null && requestPath !== path) return false;
    const prefix = this.pathPrefix;
    if (prefix !== null && !requestPath.startsWith(prefix)) return false;
    if (this.methods.length === 0) return true;
    for (let i = 0; i < this.methods.length; i++) {
      if (stream_context.headers.request.equals(":method", this.methods[i])) return true;
    }
    return false;
  }
}

/** The path of the running callback's request, without its query. */
export function requestPath(): string {
  const path = stream_context.headers.request.get(":path");
  const query = path.indexOf("?");
  return query < 0 ? path : path.substring(0, query);
}

/** A rule's `match`, which may be missing: `{"path" or "pathPrefix": ..., "methods": [...]}`. */
export function readRequestMatch(json: JsonValue): RequestMatch {
  const match = new RequestMatch();
  if (!json.exists) return match;
  json.onlyMembers(["path", "pathPrefix", "methods"]);
  const path = json.member("path");
  const prefix = json.member("pathPrefix");
  if (path.exists) match.path = readPath(path);
  if (prefix.exists) match.pathPrefix = readPath(prefix);
  if (path.exists && prefix.exists) json.fault("names both path and pathPrefix; name one");
  const methods = json.member("methods");
  if (!methods.exists) return match;
  match.methods = methods.asStrings();
  if (methods.elements.length === 0) methods.fault("should name a method; leave it out to match all");
  for (let i = 0; i < match.methods.length; i++) {
    const isUpper = match.methods[i] === upperCase(match.methods[i]);
    if (!isUpper) methods.elements[i].fault("methods are in upper case, as in requests");
  }
  return match;
}

function readPath(json: JsonValue): string {
  const path = json.asString();
  if (json.isString && !path.startsWith("/")) json.fault(`should start with "/", is "${path}"`);
  if (path.includes("?")) json.fault('is matched without the query; leave out the part from "?"');
  return path;
}
