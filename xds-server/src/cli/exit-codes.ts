import type { Problem } from "../model/problem.ts";
import { ProblemsError } from "../model/problems-error.ts";

/** What every command's exit code means. */
export const exitCodes = {
  done: 0,
  /** The server, a proxy or the input said no; with `diff --exit-code`: there are differences. */
  rejected: 1,
  /** The command line itself is wrong. */
  usage: 2,
  /** No server answered. */
  unreachable: 3,
} as const;

/** Ends a command with an exit code of its own. */
export class CommandFailure extends ProblemsError {
  readonly exitCode: number;

  /** `message` says what failed. Without problems, it also says why. */
  constructor(exitCode: number, message: string, problems: readonly Problem[] = []) {
    super(problems, message);
    this.exitCode = exitCode;
  }
}
