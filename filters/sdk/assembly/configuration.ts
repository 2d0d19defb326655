import { JsonValue } from "./json-value";
import { log } from "./log";
import { LogLevelValues } from "./values";

/** Whether a configuration was read without a fault: what `onConfigure` answers. Logs each fault, with its path. */
export function acceptedConfiguration(json: JsonValue, filter: string): bool {
  for (let i = 0; i < json.problems.length; i++) {
    log(LogLevelValues.error, `${filter} refuses its configuration: ${json.problems[i]}`);
  }
  return json.problems.length === 0;
}
