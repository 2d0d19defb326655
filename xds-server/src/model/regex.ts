import { RE2JS } from "re2js";

/** Envoy rejects larger programs by its default runtime value `re2.max_program_size.error_level`. */
const maxProgramSize = 100;

/** What Envoy's RE2 counts beyond what is counted here, at least: it works on bytes, so that `.` takes it several steps. */
const uncountedSteps = 2;

/**
 * Why Envoy would reject a regular expression, or undefined when it takes it. Envoy speaks RE2: no look-around, no
 * back-references, and a limit on the compiled program.
 */
export function regexFault(pattern: string): string | undefined {
  try {
    const size = RE2JS.compile(pattern).programSize() + uncountedSteps;
    if (size <= maxProgramSize) return undefined;
    return `is too large for Envoy: it compiles to ${size} steps or more and ${maxProgramSize} are allowed; repeat less, or split it`;
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^error parsing regexp: /, "") : String(error);
    return `is not RE2: ${reason}${/\(\?[=!<>]|\\[1-9k]/.test(pattern) ? " (RE2 has no look-around and no back-references)" : ""}`;
  }
}
