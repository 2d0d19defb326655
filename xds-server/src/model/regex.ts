import { RE2JS } from "re2js";

/** Envoy's default for the runtime value `re2.max_program_size.error_level`. Envoy rejects larger programs. */
const maxProgramSize = 100;

/** Envoy's RE2 counts at least this many steps more than RE2JS. RE2 works on bytes, so that `.` compiles to several steps. */
const uncountedSteps = 2;

/**
 * Why Envoy would reject a regular expression, or undefined when Envoy accepts it. Envoy uses RE2, which has no
 * look-around and no back-references, and limits the size of the compiled program.
 */
export function regexFault(pattern: string): string | undefined {
  try {
    const size = RE2JS.compile(pattern).programSize() + uncountedSteps;
    if (size <= maxProgramSize) return undefined;
    return `is too large for Envoy: it compiles to at least ${size} steps, and Envoy allows ${maxProgramSize}; use fewer repetitions, or split the expression`;
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^error parsing regexp: /, "") : String(error);
    return `is not a valid RE2 expression: ${reason}${/\(\?[=!<>]|\\[1-9k]/.test(pattern) ? " (RE2 has no look-around and no back-references)" : ""}`;
  }
}
