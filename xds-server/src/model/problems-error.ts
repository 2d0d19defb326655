import { type Problem, problemText } from "./problem.ts";

/** Ends a request, a command or a start because of problems. Thrown only at the borders. The catcher reports the problems. */
export class ProblemsError extends Error {
  readonly problems: readonly Problem[];
  /** The action that fails because of the problems. Absent when each message says it. */
  readonly action: string | undefined;

  constructor(problems: readonly Problem[], action?: string, options?: ErrorOptions) {
    super(text(problems, action), options);
    this.name = new.target.name;
    this.problems = problems;
    this.action = action;
  }
}

function text(problems: readonly Problem[], action: string | undefined): string {
  const texts = problems.map(problemText);
  if (action === undefined) return texts.join("\n");
  return texts.length === 0 ? action : `${action}:\n${texts.map((each) => `  ${each}`).join("\n")}`;
}
