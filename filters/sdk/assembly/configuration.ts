import { isWord } from "./ascii";
import { JsonValue } from "./json-value";
import { log } from "./log";
import { LogLevelValues } from "./values";

/**
 * The result for `onConfigure`: true when the configuration was read without a fault. Logs each fault with its path.
 */
export function acceptedConfiguration(json: JsonValue, filter: string): bool {
  for (let i = 0; i < json.problems.length; i++) {
    log(LogLevelValues.error, `${filter} rejects its configuration: ${json.problems[i]}`);
  }
  return json.problems.length === 0;
}

/** Reads the name of a rule, which is also the value of a metric's tag. Adds it to the taken names. */
export function readRuleName(json: JsonValue, taken: string[]): string {
  const name = json.asString();
  if (!json.isString) return name;
  if (name === "" || name.length > 64 || !isWord(name)) json.fault("should be 1 to 64 letters, digits, - or _");
  else if (taken.includes(name)) json.fault(`another rule is called "${name}"`);
  taken.push(name);
  return name;
}
