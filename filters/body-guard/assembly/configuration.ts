import { JsonValue, MediaTypes, readMediaTypes, readRequestMatch, readRuleName } from "@chancery/filter-sdk";
import { JsonLimits } from "./json-guard";
import { Rule } from "./rule";
import { readShape } from "./shape-configuration";

@final
export class Guard {
  rules: Rule[];
  answersJson: bool;

  constructor(rules: Rule[], answersJson: bool) {
    this.rules = rules;
    this.answersJson = answersJson;
  }
}

/** Reads the configuration that README.md describes. Every fault is added to the JSON's problems. */
export function readGuard(json: JsonValue): Guard {
  json.onlyMembers(["body", "rules"]);
  const body = json.member("body");
  const rules: Rule[] = [];
  const names: string[] = [];
  const elements = json.member("rules").asArray();
  for (let i = 0; i < elements.length; i++) rules.push(readRule(elements[i], names));
  return new Guard(rules, body.exists && body.asOneOf(["text", "json"]) === "json");
}

function readRule(json: JsonValue, names: string[]): Rule {
  json.onlyMembers(["name", "match", "dryRun", "required", "maxBytes", "contentTypes", "json"]);
  const rule = new Rule(readRuleName(json.member("name"), names), readRequestMatch(json.member("match")));
  if (json.member("dryRun").exists) rule.dryRun = json.member("dryRun").asBoolean();
  if (json.member("required").exists) rule.required = json.member("required").asBoolean();
  const maxBytes = json.member("maxBytes");
  if (maxBytes.exists) rule.maxBytes = maxBytes.asInteger(0, i32.MAX_VALUE);
  const contentTypes = json.member("contentTypes");
  if (contentTypes.exists) rule.contentTypes = readMediaTypes(contentTypes);
  if (!json.member("json").exists) return rule;
  readJsonRule(json.member("json"), rule);
  if (!maxBytes.exists) maxBytes.fault("is required, because JSON is held until all of it has arrived");
  if (!contentTypes.exists) rule.contentTypes = new MediaTypes(["application/json", "*+json"]);
  return rule;
}

function readJsonRule(json: JsonValue, rule: Rule): void {
  json.onlyMembers(["maxDepth", "maxMembers", "maxElements", "maxStringLength", "encoded", "shape"]);
  const limits = new JsonLimits();
  limits.depth = readLimit(json.member("maxDepth"), 128, limits.depth);
  limits.members = readLimit(json.member("maxMembers"), i32.MAX_VALUE, limits.members);
  limits.elements = readLimit(json.member("maxElements"), i32.MAX_VALUE, limits.elements);
  limits.stringLength = readLimit(json.member("maxStringLength"), i32.MAX_VALUE, limits.stringLength);
  const encoded = json.member("encoded");
  rule.passEncoded = encoded.exists && encoded.asOneOf(["reject", "pass"]) === "pass";
  const shape = json.member("shape");
  if (shape.exists) {
    const read = readShape(shape);
    limits.shape = read;
    limits.textCapacity = max(limits.textCapacity, read.longestText());
  }
  rule.json = limits;
}

function readLimit(json: JsonValue, most: i32, otherwise: i32): i32 {
  return json.exists ? json.asInteger(1, most) : otherwise;
}
