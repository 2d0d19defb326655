import { type Fault, type Problem, problemOf } from "../model/problem.ts";
import type { TextFault } from "../reading/text-fault.ts";

/** The deepest nesting taken; Envoy's own configurations stay below 40. */
export const maxBodyDepth = 100;
/** How many faults of one body are listed. */
export const maxBodyFaults = 20;

const faults: Readonly<Record<Exclude<TextFault["what"], "syntax">, Fault>> = {
  "duplicate-key": {
    code: "BODY_DUPLICATE_KEY",
    message: "a key is given twice in one object",
    hint: "keep one of them",
  },
  "forbidden-key": { code: "BODY_FORBIDDEN_KEY", message: 'the key "__proto__" is not allowed' },
  "too-deep": { code: "BODY_TOO_DEEP", message: `it is nested deeper than ${maxBodyDepth} levels` },
};

/** A fault that JSON and YAML bodies share. */
export function bodyFault(what: keyof typeof faults, path: string, source?: string): Problem {
  return problemOf({ ...faults[what], path }, { action: "Cannot read the body", source });
}
