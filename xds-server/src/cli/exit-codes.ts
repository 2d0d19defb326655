import type { Problem } from "../model/problem.ts";
import { ProblemsError } from "../model/problems-error.ts";

/** The exit codes of all commands. */
export const exitCodes = {
  done: 0,
  /** The server or a proxy rejected the input, or it cannot be read. With `diff --exit-code`: there are differences. */
  rejected: 1,
  /** The arguments are wrong. */
  usage: 2,
  /** The server cannot be reached. */
  unreachable: 3,
} as const;

/** Ends a command with an exit code. */
export class CommandFailure extends ProblemsError {
  readonly exitCode: number;

  /** `message` says what failed, and also why if there are no problems. */
  constructor(exitCode: number, message: string, problems: readonly Problem[] = []) {
    super(problems, message);
    this.exitCode = exitCode;
  }
}
