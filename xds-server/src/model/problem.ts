/** One fault in what an operator wrote. Expected failures are lists of these, never exceptions, and never only the first. */
export interface Problem {
  /** A stable code, explained in docs/PROBLEMS.md: "ROUTE_UNKNOWN_CLUSTER". */
  readonly code: string;
  /** The action, the names, the state and the wish: `Cannot compile route "checkout": cluster "pay" does not exist`. */
  readonly message: string;
  /** The document at fault; absent when the fault is not inside one (a file that is not YAML). */
  readonly kind?: string;
  readonly name?: string;
  /** Where in the document: "spec.routes[2].cluster". Empty for the whole document. */
  readonly path: string;
  /** What stands there, shortened; absent for secrets and for missing values. */
  readonly found?: string;
  /** What to do, often the nearest valid name: `did you mean "cart"?`. */
  readonly hint?: string;
  /** Where the document came from, when it came from a file: "shop/edge.yaml:12". */
  readonly source?: string;
}

/** More than these help nobody, and a hostile input must not make an endless answer. */
const maxProblems = 1000;

/** The problems that are told: all, or the first ones and how many more there are. */
export function boundedProblems(problems: readonly Problem[]): readonly Problem[] {
  if (problems.length <= maxProblems) return problems;
  const message = `Cannot list all problems: ${problems.length - maxProblems} more were found`;
  return [...problems.slice(0, maxProblems), { code: "PROBLEMS_CUT_SHORT", message, path: "" }];
}

/** One fault in two or three lines: what, with the code to look up in docs/PROBLEMS.md; where; what to do. */
export function problemText({ code, message, kind, name, path, found, hint, source }: Problem): string {
  const where = [source, kind === undefined ? undefined : `${kind} "${name}"`, path].filter(Boolean).join(" ");
  const lines = [
    `${message} [${code}]`,
    where === "" ? undefined : `  at ${where}${found === undefined ? "" : `: ${found}`}`,
    hint && `  ${hint}`,
  ];
  return lines.filter(Boolean).join("\n");
}
