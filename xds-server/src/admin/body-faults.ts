import type { Problem } from "../model/problem.ts";
import type { JsonFault } from "./strict-json.ts";

/** The deepest nesting taken; Envoy's own configurations stay below 40. */
export const maxBodyDepth = 100;
/** How many faults of one body are listed. */
export const maxBodyFaults = 20;

const faults: Readonly<Record<JsonFault["fault"], Omit<Problem, "path">>> = {
  "duplicate-key": {
    code: "BODY_DUPLICATE_KEY",
    message: "Cannot read the body: a key is given twice in one object",
    hint: "keep one of them",
  },
  "forbidden-key": {
    code: "BODY_FORBIDDEN_KEY",
    message: 'Cannot read the body: the key "__proto__" is not allowed',
  },
  "too-deep": {
    code: "BODY_TOO_DEEP",
    message: `Cannot read the body: it is nested deeper than ${maxBodyDepth} levels`,
  },
};

/** A fault that JSON and YAML bodies share. */
export function bodyFault(fault: JsonFault["fault"], path: string): Problem {
  return { ...faults[fault], path };
}
