import type { ProblemCode } from "./problem-codes.ts";

/** One thing that is wrong. It does not say which action fails because of it. */
export interface Fault {
  readonly code: ProblemCode;
  /** The state, and what is expected when that is not obvious: `cluster "pay" does not exist`. */
  readonly message: string;
  /** The path of the faulty field: "spec.routes[2].cluster". Absent when the whole input is faulty. */
  readonly path?: string;
  /** The value of the field, shortened. Absent for secrets and for missing values. */
  readonly found?: string | undefined;
  /** What to do, often the nearest valid name: `did you mean "cart"?`. */
  readonly hint?: string | undefined;
}

/** A fault with the action that fails. An expected failure is a list of all problems, not only the first. */
export interface Problem extends Fault {
  /** The action, the names, the state and what is expected: `Cannot compile route "checkout": cluster "pay" does not exist`. */
  readonly message: string;
  /** The kind and the name of the faulty document. Absent when the fault is not in a document: a file that is not YAML. */
  readonly kind?: string;
  readonly name?: string;
  /** Empty when the whole document is faulty. */
  readonly path: string;
  readonly found?: string;
  readonly hint?: string;
  /** The file and the line of the document: "shop/edge.yaml:12". Absent when it did not come from a file. */
  readonly source?: string;
}

/** The action that fails because of a fault, and the faulty document. */
export interface FaultContext {
  /** `Cannot compile Route "checkout"`. Absent when the fault's message says it. */
  readonly action?: string;
  /** The subject of a message that begins with a verb: "it", "spec.routes[2].cluster". */
  readonly subject?: string;
  readonly kind?: string | undefined;
  readonly name?: string | undefined;
  readonly source?: string | undefined;
}

/** Makes the problem of a fault. */
export function problemOf(fault: Fault, { action, subject, kind, name, source }: FaultContext = {}): Problem {
  const { code, path = "", found, hint } = fault;
  const message = subject === undefined ? fault.message : `${subject} ${fault.message}`;
  return {
    code,
    message: action === undefined ? message : `${action}: ${message}`,
    ...(kind === undefined ? {} : { kind }),
    ...(name === undefined ? {} : { name }),
    path,
    ...(found === undefined ? {} : { found }),
    ...(hint === undefined ? {} : { hint }),
    ...(source === undefined ? {} : { source }),
  };
}

/** The maximum number of problems in an answer. More do not help, and a hostile input must not make an endless answer. */
const maxProblems = 1000;

/** All problems, or the first ones and a last one with the number of the others. */
export function boundedProblems(problems: readonly Problem[]): readonly Problem[] {
  if (problems.length <= maxProblems) return problems;
  const message = `Cannot list all problems: ${problems.length - maxProblems} more were found`;
  return [...problems.slice(0, maxProblems), problemOf({ code: "PROBLEMS_CUT_SHORT", message })];
}

/** A problem in one to three lines: the message with the code to look up in docs/PROBLEMS.md, the place, and the hint. */
export function problemText({ code, message, kind, name, path, found, hint, source }: Problem): string {
  const named = name === undefined ? kind : `${kind ?? "document"} "${name}"`;
  const where = [source, named, path].filter(Boolean).join(" ");
  const lines = [
    `${message} [${code}]`,
    where === "" ? undefined : `  at ${where}${found === undefined ? "" : `: ${found}`}`,
    hint && `  ${hint}`,
  ];
  return lines.filter(Boolean).join("\n");
}
