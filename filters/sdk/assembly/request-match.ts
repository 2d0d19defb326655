import { lowerCase, upperCase } from "./ascii";
import { HeaderStreamManipulator } from "./headers";
import { JsonValue } from "./json-value";
import { stream_context } from "./stream-context";

/** A condition on a header. */
@final
export class HeaderCondition {
  /** In lower case. */
  name: string;
  exact: string | null = null;
  prefix: string | null = null;
  present: bool = true;

  constructor(name: string) {
    this.name = name;
  }

  matches(headers: HeaderStreamManipulator): bool {
    const exact = this.exact;
    if (exact !== null) return headers.equals(this.name, exact);
    const prefix = this.prefix;
    if (prefix !== null) return headers.startsWith(this.name, prefix);
    return headers.has(this.name) === this.present;
  }
}

/** The conditions on a request. All of them must hold. Without conditions, every request matches. */
@final
export class RequestMatch {
  path: string | null = null;
  pathPrefix: string | null = null;
  methods: string[] = [];
  headers: HeaderCondition[] = [];

  /** True when the request of the running callback matches. Decodes nothing. */
  matches(): bool {
    const headers = stream_context.headers.request;
    const path = this.path;
    if (path !== null && !headers.equals(":path", path) && !headers.startsWith(":path", `${path}?`)) return false;
    // The prefix has no "?", so it cannot match a part of the query.
    const prefix = this.pathPrefix;
    if (prefix !== null && !headers.startsWith(":path", prefix)) return false;
    if (this.methods.length > 0 && !this.methodMatches()) return false;
    for (let i = 0; i < this.headers.length; i++) if (!this.headers[i].matches(headers)) return false;
    return true;
  }

  private methodMatches(): bool {
    for (let i = 0; i < this.methods.length; i++) {
      if (stream_context.headers.request.equals(":method", this.methods[i])) return true;
    }
    return false;
  }
}

/** Reads `path` or `pathPrefix`, `methods` and `headers`. A missing member is no condition. */
export function readRequestMatch(json: JsonValue): RequestMatch {
  const match = new RequestMatch();
  if (!json.exists) return match;
  json.onlyMembers(["path", "pathPrefix", "methods", "headers"]);
  const path = json.member("path");
  const prefix = json.member("pathPrefix");
  if (path.exists) match.path = readPath(path);
  if (prefix.exists) match.pathPrefix = readPath(prefix);
  if (path.exists && prefix.exists) json.fault("names both path and pathPrefix; name one");
  const methods = json.member("methods");
  if (methods.exists) match.methods = readMethods(methods);
  const headers = json.member("headers");
  if (headers.exists) match.headers = readHeaderConditions(headers);
  return match;
}

/** Reads a list of `name` with one of `exact`, `prefix` and `present`. */
export function readHeaderConditions(json: JsonValue): HeaderCondition[] {
  const conditions: HeaderCondition[] = [];
  const elements = json.asArray();
  for (let i = 0; i < elements.length; i++) conditions.push(readHeaderCondition(elements[i]));
  return conditions;
}

/** Reads a path or a prefix of paths. It begins with a slash and has no query. */
export function readPath(json: JsonValue): string {
  const path = json.asString();
  if (json.isString && !path.startsWith("/")) json.fault(`should start with "/", is "${path}"`);
  if (path.includes("?")) json.fault('is matched without the query; leave out the part from "?"');
  return path;
}

/** Reads a list of at least one method. */
export function readMethods(json: JsonValue): string[] {
  const methods = json.asStrings();
  if (json.elements.length === 0) json.fault("should name a method; leave it out to match all");
  for (let i = 0; i < methods.length; i++) {
    if (methods[i] !== upperCase(methods[i])) json.elements[i].fault("methods are in upper case, as in requests");
  }
  return methods;
}

function readHeaderCondition(json: JsonValue): HeaderCondition {
  json.onlyMembers(["name", "exact", "prefix", "present"]);
  const condition = new HeaderCondition(lowerCase(json.member("name").asString()));
  if (json.member("name").isString && condition.name === "") json.member("name").fault("should not be empty");
  const exact = json.member("exact");
  const prefix = json.member("prefix");
  const present = json.member("present");
  if (exact.exists) condition.exact = exact.asString();
  if (prefix.exists) condition.prefix = prefix.asString();
  if (present.exists) condition.present = present.asBoolean();
  if (i32(exact.exists) + i32(prefix.exists) + i32(present.exists) !== 1) {
    json.fault("should name one of exact, prefix, present");
  }
  return condition;
}
