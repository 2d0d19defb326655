import { type Fault, type Problem, problemOf } from "../model/problem.ts";
import type { TextFault } from "../reading/text-fault.ts";

/** The maximum nesting of a body. Envoy's own configurations nest less than 40 levels. */
export const maxBodyDepth = 100;
/** The maximum number of listed faults of one body. */
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

/** The problem for a fault that both JSON and YAML bodies can have. */
export function bodyFault(what: keyof typeof faults, path: string, source?: string): Problem {
  return problemOf({ ...faults[what], path }, { action: "Cannot read the body", source });
}
