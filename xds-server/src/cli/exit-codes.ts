import type { Problem } from "../model/problem.ts";

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

/** Ends a command with a message for people. */
export class CommandFailure extends Error {
  readonly exitCode: number;
  readonly problems: readonly Problem[];

  constructor(exitCode: number, message: string, problems: readonly Problem[] = []) {
    super(message);
    this.name = "CommandFailure";
    this.exitCode = exitCode;
    this.problems = problems;
  }
}
