import { parseJson } from "../json";
import { JsonKind, JsonValue } from "../json-value";

function problem(text: string, expected: string): void {
  const problems = parseJson(text).problems;
  const found = problems.length === 1 ? problems[0] : problems.join("; ");
  assert(found === expected, `${text} gives: ${found}`);
}

function good(text: string): JsonValue {
  const json = parseJson(text);
  assert(json.problems.length === 0, json.problems.join("; "));
  return json;
}

export function test_reads_JSON_values_of_every_kind(): void {
  const json = good(' {"s": "a", "n": -12, "f": 2.5e1, "t": true, "u": null, "l": [1, [], {}], "o": {"x": false}} ');
  assert(json.member("s").asString() === "a");
  assert(json.member("n").asInteger(-20, 20) === -12);
  assert(json.member("f").asNumber() === 25);
  assert(json.member("t").asBoolean());
  assert(json.member("u").kind === JsonKind.Null);
  assert(json.member("l").asArray().length === 3);
  assert(!json.member("o").member("x").asBoolean());
  assert(json.problems.length === 0, json.problems.join("; "));
}

export function test_decodes_JSON_escapes(): void {
  assert(good('"a\\n\\t\\"\\\\\\/\\u00e9\\ud83d\\ude00b"').asString() === 'a\n\t"\\/é😀b');
}

export function test_rejects_text_that_is_not_JSON_and_gives_the_place(): void {
  problem("", "not JSON at line 1, column 1: a value is expected");
  problem("{} x", "not JSON at line 1, column 4: nothing more is expected");
  problem('{\n  "a": 1,\n}', "not JSON at line 3, column 1: a name in double quotes is expected");
  problem("[1 2]", 'not JSON at line 1, column 4: "," or "]" is expected');
  problem('{"a" 1}', 'not JSON at line 1, column 6: ":" is expected');
  problem('{"a": 1, "a": 2}', 'not JSON at line 1, column 10: "a" appears twice');
  problem("01", "not JSON at line 1, column 2: nothing more is expected");
  problem("1.", "not JSON at line 1, column 3: a digit is expected");
  problem("-", "not JSON at line 1, column 2: a digit is expected");
  problem("1e+", "not JSON at line 1, column 4: a digit is expected");
  problem('"a', "not JSON at line 1, column 3: a closing quote is expected");
  problem('"\n"', "not JSON at line 1, column 2: a control character must be escaped");
  problem('"\\x"', "not JSON at line 1, column 3: this escape is not known");
  problem('"\\u12g4"', "not JSON at line 1, column 6: four hexadecimal digits are expected");
  problem('"\\', "not JSON at line 1, column 3: this escape is not known");
  problem("truth", "not JSON at line 1, column 1: a value is expected");
  problem("// no", "not JSON at line 1, column 1: a value is expected");
}

export function test_limits_nesting(): void {
  assert(good("[".repeat(33) + "]".repeat(33)).kind === JsonKind.Array);
  problem("[".repeat(34), "not JSON at line 1, column 34: nesting is limited to 32 levels");
  problem("[".repeat(100000), "not JSON at line 1, column 34: nesting is limited to 32 levels");
}

export function test_collects_every_fault_with_its_path(): void {
  const json = good('{"rules": [{"name": 1}, {"nmae": "x", "status": 700, "action": "maybe"}], "on": "yes"}');
  const rules = json.member("rules").asArray();
  rules[0].member("name").asString();
  rules[1].onlyMembers(["name", "status", "action"]);
  rules[1].member("status").asInteger(400, 599);
  rules[1].member("action").asOneOf(["allow", "deny"]);
  rules[1].member("match").member("path").asString();
  json.member("on").asBoolean();
  json.asArray();
  const found = json.problems.join("\n");
  const expected = [
    "rules[0].name: should be a string, is a number",
    "rules[1].nmae: is unknown; known names are name, status, action",
    "rules[1].status: should be a whole number from 400 to 599, is 700",
    'rules[1].action: should be one of allow, deny, is "maybe"',
    "rules[1].match.path: should be a string, is missing",
    "on: should be true or false, is a string",
    "should be a list, is an object",
  ].join("\n");
  assert(found === expected, found);
}

export function test_rejects_a_number_with_a_fraction_or_too_many_digits_as_an_integer(): void {
  const json = good("[1.5, 1e2, 99999999999999999999, 3000000000]");
  const elements = json.asArray();
  for (let i = 0; i < elements.length; i++) elements[i].asInteger(0, i32.MAX_VALUE);
  assert(json.problems.length === 4, json.problems.join("; "));
}
