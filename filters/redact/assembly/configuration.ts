import {
  JsonValue,
  MediaTypes,
  RequestMatch,
  readMediaTypes,
  readRequestMatch,
  readRuleName,
} from "@chancery/filter-sdk";
import { parsePath } from "./field-path";
import { Field, Fields } from "./fields";

/** A rule: which values are masked in the answers to the requests that it matches. */
@final
export class Rule {
  name: string;
  match: RequestMatch;
  contentTypes: MediaTypes = new MediaTypes(["application/json", "*+json"]);
  maxBytes: i64;
  passTooLarge: bool = false;
  passMalformed: bool = false;
  fields: Fields;

  constructor(name: string, match: RequestMatch, maxBytes: i64, fields: Fields) {
    this.name = name;
    this.match = match;
    this.maxBytes = maxBytes;
    this.fields = fields;
  }
}

/** The maximum of `maxBytes`. The filter stores several copies of an answer. */
const MOST_BYTES: i32 = 4_194_304;

/** Reads the configuration that README.md describes. Every fault is added to the JSON's problems. */
export function readRules(json: JsonValue): Rule[] {
  json.onlyMembers(["rules"]);
  const rules: Rule[] = [];
  const names: string[] = [];
  const elements = json.member("rules").asArray();
  for (let i = 0; i < elements.length; i++) rules.push(readRule(elements[i], names));
  return rules;
}

function readRule(json: JsonValue, names: string[]): Rule {
  json.onlyMembers(["name", "match", "contentTypes", "maxBytes", "onTooLarge", "onMalformed", "fields"]);
  const name = readRuleName(json.member("name"), names);
  const match = readRequestMatch(json.member("match"));
  const rule = new Rule(
    name,
    match,
    json.member("maxBytes").asInteger(1, MOST_BYTES),
    readFields(json.member("fields")),
  );
  if (json.member("contentTypes").exists) rule.contentTypes = readMediaTypes(json.member("contentTypes"));
  rule.passTooLarge = readPass(json.member("onTooLarge"));
  rule.passMalformed = readPass(json.member("onMalformed"));
  return rule;
}

function readPass(json: JsonValue): bool {
  return json.exists && json.asOneOf(["deny", "pass"]) === "pass";
}

function readFields(json: JsonValue): Fields {
  const fields: Field[] = [];
  const elements = json.asArray();
  if (json.exists && elements.length === 0) json.fault("should name a field");
  for (let i = 0; i < elements.length; i++) fields.push(readField(elements[i]));
  return new Fields(fields);
}

function readField(json: JsonValue): Field {
  json.onlyMembers(["path", "as", "keepLast"]);
  const path = json.member("path");
  const field = new Field(parsePath(path.asString()));
  if (path.isString && field.steps.length === 0) {
    path.fault('should be a path such as users[*].email, **.password or "a.b".c, and end with the value to mask');
  }
  const as = json.member("as");
  const keepLast = json.member("keepLast");
  field.asNull = as.exists && as.asOneOf(["mask", "null"]) === "null";
  if (keepLast.exists) field.keepLast = keepLast.asInteger(1, 16);
  if (keepLast.exists && field.asNull) keepLast.fault('null keeps no characters; leave out "as"');
  return field;
}
