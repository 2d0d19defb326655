import { isPrintable, isWord, JsonValue, lowerCase, readMethods, readPath } from "@chancery/filter-sdk";
import { Condition } from "./condition";
import { Policy } from "./policy";
import { Identity } from "./policy-request";
import { byteString } from "./query";
import { HeaderCondition, IdentityCondition, QueryCondition, Rule } from "./rule";
import { Verdict } from "./verdict";

/** The index of each name is its number in `Identity`. */
const identityNames: string[] = ["uri", "dns", "subject"];

/** Reads the configuration that README.md describes. Every fault is added to the JSON's problems. */
export function readPolicy(json: JsonValue): Policy {
  json.onlyMembers(["default", "body", "enforce", "rules"]);
  const body = json.member("body");
  const asJson = body.exists && body.asOneOf(["text", "json"]) === "json";
  const otherwise = readVerdict(json.member("default"), "default", "no rule allows this request", asJson);
  json.member("default").onlyMembers(["action", "status", "reason", "enforce"]);
  const enforce = json.member("enforce");
  const rules: Rule[] = [];
  const names: string[] = [];
  const elements = json.member("rules").asArray();
  for (let i = 0; i < elements.length; i++) {
    elements[i].onlyMembers(["name", "match", "action", "status", "reason", "enforce"]);
    const name = readName(elements[i].member("name"), names);
    const rule = new Rule(readVerdict(elements[i], name, `denied by rule ${name}`, asJson));
    readMatch(elements[i].member("match"), rule);
    rules.push(rule);
  }
  return new Policy(rules, otherwise, !enforce.exists || enforce.asBoolean());
}

/** Reads the name of a rule, which is also the value of a metric's tag. */
function readName(json: JsonValue, taken: string[]): string {
  const name = json.asString();
  if (!json.isString) return name;
  if (name === "" || name.length > 64 || !isWord(name)) json.fault("should be 1 to 64 letters, digits, - or _");
  else if (name === "default") json.fault('"default" is reserved for requests that match no rule');
  else if (taken.includes(name)) json.fault(`another rule is called "${name}"`);
  taken.push(name);
  return name;
}

function readVerdict(json: JsonValue, rule: string, usualReason: string, asJson: bool): Verdict {
  const allow = json.member("action").asOneOf(["allow", "deny"]) === "allow";
  const status = json.member("status");
  const reason = json.member("reason");
  const enforce = json.member("enforce");
  if (allow && status.exists) status.fault('only a rule with "action": "deny" has a status');
  if (allow && reason.exists) reason.fault('only a rule with "action": "deny" has a reason');
  if (allow && enforce.exists) enforce.fault('only a rule with "action": "deny" may have "enforce"');
  const code = status.exists ? status.asInteger(400, 599) : 403;
  const text = reason.exists ? reason.asString() : usualReason;
  if (text.length > 256 || !isPrintable(text)) reason.fault("should be at most 256 printable ASCII characters");
  const verdict = new Verdict(rule, allow, code, text, asJson);
  if (enforce.exists) verdict.enforced = enforce.asBoolean();
  return verdict;
}

function readMatch(json: JsonValue, rule: Rule): void {
  if (!json.exists) return;
  json.onlyMembers(["path", "pathPrefix", "pathSuffix", "methods", "headers", "query", "identity"]);
  rule.path = readPathCondition(json);
  const methods = json.member("methods");
  if (methods.exists) rule.methods = readMethods(methods);
  const headers = json.member("headers");
  const query = json.member("query");
  const headerList = headers.exists ? headers.asArray() : [];
  for (let i = 0; i < headerList.length; i++) rule.headers.push(readHeader(headerList[i]));
  const queryList = query.exists ? query.asArray() : [];
  for (let i = 0; i < queryList.length; i++) rule.query.push(readParameter(queryList[i]));
  const identity = json.member("identity");
  if (identity.exists) rule.identity = readIdentity(identity);
}

function readPathCondition(json: JsonValue): Condition | null {
  const path = json.member("path");
  const prefix = json.member("pathPrefix");
  const suffix = json.member("pathSuffix");
  const given = i32(path.exists) + i32(prefix.exists) + i32(suffix.exists);
  if (given === 0) return null;
  if (given > 1) json.fault("names more than one of path, pathPrefix, pathSuffix; name one");
  const condition = new Condition();
  if (path.exists) condition.exact = readPath(path);
  if (prefix.exists) condition.prefix = readPath(prefix);
  if (suffix.exists) condition.suffix = withoutQuery(suffix);
  return condition;
}

function withoutQuery(json: JsonValue): string {
  const path = json.asString();
  if (path.includes("?")) json.fault('is matched without the query; leave out the part from "?"');
  return path;
}

function readHeader(json: JsonValue): HeaderCondition {
  json.onlyMembers(["name", "exact", "prefix", "suffix", "present"]);
  return new HeaderCondition(lowerCase(readMatchedName(json)), readCondition(json));
}

function readParameter(json: JsonValue): QueryCondition {
  json.onlyMembers(["name", "exact", "prefix", "suffix", "present"]);
  const wish = readCondition(json);
  wish.exact = bytesOf(wish.exact);
  wish.prefix = bytesOf(wish.prefix);
  wish.suffix = bytesOf(wish.suffix);
  return new QueryCondition(byteString(readMatchedName(json)), wish);
}

function bytesOf(text: string | null): string | null {
  return text === null ? null : byteString(text);
}

function readMatchedName(json: JsonValue): string {
  const name = json.member("name").asString();
  if (json.member("name").isString && name === "") json.member("name").fault("should not be empty");
  return name;
}

function readIdentity(json: JsonValue): IdentityCondition[] {
  json.onlyMembers(identityNames);
  const conditions: IdentityCondition[] = [];
  for (let kind = 0; kind < identityNames.length; kind++) {
    const wish = json.member(identityNames[kind]);
    if (!wish.exists) continue;
    wish.onlyMembers(["exact", "prefix", "suffix", "present"]);
    demandWholeTrustDomain(wish.member("prefix"));
    demandText(wish.member("exact"));
    demandText(wish.member("prefix"));
    demandText(wish.member("suffix"));
    conditions.push(new IdentityCondition(<Identity>kind, readCondition(wish)));
  }
  if (conditions.length === 0) json.fault(`should name one of ${identityNames.join(", ")}`);
  return conditions;
}

/** Others may own a longer name: "spiffe://shop.test" is also a prefix of "spiffe://shop.test.example". */
function demandWholeTrustDomain(prefix: JsonValue): void {
  if (!prefix.isString || !prefix.text.startsWith("spiffe://")) return;
  if (!prefix.text.includes("/", 9)) prefix.fault(`should end the trust domain with "/", is "${prefix.text}"`);
}

/** An empty text would never match, because an empty name counts as missing. */
function demandText(json: JsonValue): void {
  if (json.isString && json.text === "") json.fault("should not be empty");
}

function readCondition(json: JsonValue): Condition {
  const condition = new Condition();
  const exact = json.member("exact");
  const prefix = json.member("prefix");
  const suffix = json.member("suffix");
  const present = json.member("present");
  if (exact.exists) condition.exact = exact.asString();
  if (prefix.exists) condition.prefix = prefix.asString();
  if (suffix.exists) condition.suffix = suffix.asString();
  if (present.exists) condition.present = present.asBoolean();
  if (i32(exact.exists) + i32(prefix.exists) + i32(suffix.exists) + i32(present.exists) !== 1) {
    json.fault("should name one of exact, prefix, suffix, present");
  }
  return condition;
}
