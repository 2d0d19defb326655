import { parseJson } from "../json";
import { readMediaTypes } from "../media-types";

function matches(patterns: string, contentType: string): bool {
  const json = parseJson(patterns);
  const types = readMediaTypes(json);
  assert(json.problems.length === 0, json.problems.join("; "));
  return types.matches(contentType);
}

export function test_matches_a_media_type_with_any_case_and_parameters(): void {
  const json = '["application/JSON"]';
  assert(matches(json, "application/json"));
  assert(matches(json, "Application/Json ; charset=utf-8"));
  assert(!matches(json, "application/json5"));
  assert(!matches(json, "application/json, text/html"));
  assert(!matches(json, ""));
  assert(!matches(json, "text/html; a=application/json"));
}

export function test_a_star_matches_many_media_types(): void {
  assert(matches('["application/*"]', "application/x.y+z"));
  assert(!matches('["application/*"]', "application/"));
  assert(!matches('["application/*"]', "application/a b"));
  assert(matches('["text/plain", "*+json"]', "application/problem+json"));
  assert(!matches('["*+json"]', "application/json"));
  assert(matches('["application/*+json"]', "application/a+json"));
  assert(!matches('["application/json*json"]', "application/json"));
  assert(matches('["*"]', "a/b"));
  assert(!matches('["*"]', "no media type"));
}

export function test_rejects_text_that_is_no_media_type(): void {
  const json = parseJson('["json", "a/*/*", "a/b; c=d", "", 1]');
  readMediaTypes(json);
  assert(json.problems.length === 5, json.problems.join("; "));
}
