import { JsonValue, readHeaderConditions, readRequestMatch, readRuleName } from "@chancery/filter-sdk";
import { changedName, changedPrefix, readableName } from "./names";
import { Pattern } from "./pattern";
import { Change, Copy, Remove, RemovePrefix, Rewrite, Rule, Write } from "./rule";
import { Template } from "./template";

const common: string[] = ["name", "match"];
const changes: string[] = ["set", "add", "copy", "remove", "rewrite"];
const changeable: string[] = [":path", ":authority"];

@final
export class Rules {
  request: Rule[] = [];
  response: Rule[] = [];
  /** The request headers that rules for responses use. */
  noted: string[] = [];
  /** True when rules for responses depend on the request. */
  notesRequests: bool = false;
}

/** Reads the configuration that README.md describes. Every fault is added to the JSON's problems. */
export function readRules(json: JsonValue): Rules {
  json.onlyMembers(["request", "response"]);
  const rules = new Rules();
  const names: string[] = [];
  const request = json.member("request");
  if (request.exists) rules.request = readList(request, names, null);
  const response = json.member("response");
  if (response.exists) rules.response = readList(response, names, rules.noted);
  rules.notesRequests = rules.noted.length > 0;
  for (let i = 0; i < rules.response.length; i++) if (rules.response[i].matchesSome) rules.notesRequests = true;
  return rules;
}

/** `noted` is null for rules for requests. */
function readList(json: JsonValue, names: string[], noted: string[] | null): Rule[] {
  const rules: Rule[] = [];
  const elements = json.asArray();
  for (let i = 0; i < elements.length; i++) rules.push(readRule(elements[i], names, noted));
  return rules;
}

function readRule(json: JsonValue, names: string[], noted: string[] | null): Rule {
  const rule = new Rule(readChange(json, noted));
  const name = json.member("name");
  if (name.exists) rule.name = readRuleName(name, names);
  const match = json.member("match");
  rule.match = readRequestMatch(match);
  rule.matchesSome = match.names.length > 0;
  const responseHeaders = json.member("responseHeaders");
  if (responseHeaders.exists && noted !== null) rule.responseHeaders = readHeaderConditions(responseHeaders);
  return rule;
}

function readChange(json: JsonValue, noted: string[] | null): Change {
  const pseudo = noted === null ? changeable : [];
  let change = "";
  let count = 0;
  for (let i = 0; i < changes.length; i++) {
    if (!json.member(changes[i]).exists) continue;
    change = changes[i];
    count++;
  }
  if (count !== 1) {
    json.fault(`should name one of ${changes.join(", ")}`);
    return new Remove("");
  }
  const known = common.concat(noted === null ? [change] : [change, "responseHeaders"]);
  const target = json.member(change);
  if (change === "rewrite") {
    json.onlyMembers(known.concat(["pattern", "value"]));
    const pattern = Pattern.read(json.member("pattern"));
    const name = changedName(target, pseudo);
    return new Rewrite(name, pattern, readValue(json.member("value"), name, pattern, noted));
  }
  if (change === "copy") {
    json.onlyMembers(known.concat(["to"]));
    const from = readableName(target, target.asString());
    const to = changedName(json.member("to"), []);
    if (from === to) json.member("to").fault("is the same header");
    return new Copy(from, to);
  }
  if (change === "remove") {
    json.onlyMembers(known);
    const text = target.asString();
    if (!text.endsWith("*")) return new Remove(changedName(target, []));
    return new RemovePrefix(changedPrefix(target, text.substring(0, text.length - 1)));
  }
  json.onlyMembers(known.concat(["value"]));
  const name = changedName(target, change === "set" ? pseudo : []);
  return new Write(name, readValue(json.member("value"), name, null, noted), change === "add");
}

function readValue(json: JsonValue, name: string, pattern: Pattern | null, noted: string[] | null): Template {
  const value = Template.read(json, pattern, noted);
  if (name === ":path" && json.isString && !value.beginning.startsWith("/")) {
    json.fault('should start with "/", because it becomes the path');
  }
  if (name === ":authority" && json.isString && json.text === "") json.fault("should not be empty");
  if (name.startsWith(":") && json.text.includes(" ")) json.fault(`should have no blank, because it becomes ${name}`);
  return value;
}
