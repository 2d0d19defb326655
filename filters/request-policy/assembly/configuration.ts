import { isPrintable, isWord, JsonValue, lowerCase, upperCase } from "@chancery/filter-sdk";
import { HeaderCondition, Policy, Rule, Verdict } from "./policy";

/** Reads the policy out of its JSON, described in README.md. Every fault is kept in the JSON's problems. */
export function readPolicy(json: JsonValue): Policy {
  json.onlyMembers(["default", "body", "rules"]);
  const body = json.member("body");
  const asJson = body.exists && body.asOneOf(["text", "json"]) === "json";
  const otherwise = readVerdict(json.member("default"), "default", "no rule allows this request", asJson);
  json.member("default").onlyMembers(["action", "status", "reason"]);
  const rules: Rule[] = [];
  const names: string[] = [];
  const elements = json.member("rules").asArray();
  for (let i = 0; i < elements.length; i++) {
    elements[i].onlyMembers(["name", "match", "action", "status", "reason"]);
    const name = readName(elements[i].member("name"), names);
    const rule = new Rule(readVerdict(elements[i], name, `denied by rule ${name}`, asJson));
    readMatch(elements[i].member("match"), rule);
    rules.push(rule);
  }
  return new Policy(rules, otherwise);
}

/** A rule's name is also the value of a metric's tag. */
function readName(json: JsonValue, taken: string[]): string {
  const name = json.asString();
  if (!json.isString) return name;
  if (name === "" || name.length > 64 || !isWord(name)) json.fault("should be 1 to 64 letters, digits, - or _");
  else if (name === "default") json.fault('"default" is the name of what happens when no rule matches');
  else if (taken.includes(name)) json.fault(`another rule is called "${name}"`);
  taken.push(name);
  return name;
}

function readVerdict(json: JsonValue, rule: string, usualReason: string, asJson: bool): Verdict {
  const allow = json.member("action").asOneOf(["allow", "deny"]) === "allow";
  const status = json.member("status");
  const reason = json.member("reason");
  if (allow && status.exists) status.fault('only a rule with "action": "deny" has a status');
  if (allow && reason.exists) reason.fault('only a rule with "action": "deny" has a reason');
  const code = status.exists ? status.asInteger(400, 599) : 403;
  const text = reason.exists ? reason.asString() : usualReason;
  if (text.length > 256 || !isPrintable(text)) reason.fault("should be at most 256 printable ASCII characters");
  return new Verdict(rule, allow, code, text, asJson);
}

function readMatch(json: JsonValue, rule: Rule): void {
  if (!json.exists) return;
  json.onlyMembers(["path", "pathPrefix", "methods", "headers"]);
  const path = json.member("path");
  const prefix = json.member("pathPrefix");
  if (path.exists) rule.path = readPath(path);
  if (prefix.exists) rule.pathPrefix = readPath(prefix);
  if (path.exists && prefix.exists) json.fault("names both path and pathPrefix; name one");
  const methods = json.member("methods");
  if (methods.exists) rule.methods = readMethods(methods);
  const headers = json.member("headers");
  if (!headers.exists) return;
  const elements = headers.asArray();
  for (let i = 0; i < elements.length; i++) rule.headers.push(readHeader(elements[i]));
}

function readPath(json: JsonValue): string {
  const path = json.asString();
  if (json.isString && !path.startsWith("/")) json.fault(`should start with "/", is "${path}"`);
  if (path.includes("?")) json.fault('is matched without the query; leave out the part from "?"');
  return path;
}

function readMethods(json: JsonValue): string[] {
  const methods = json.asStrings();
  if (json.elements.length === 0) json.fault("should name a method; leave it out to match all");
  for (let i = 0; i < methods.length; i++) {
    if (methods[i] !== upperCase(methods[i])) json.elements[i].fault("methods are in upper case, as in requests");
  }
  return methods;
}

function readHeader(json: JsonValue): HeaderCondition {
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
