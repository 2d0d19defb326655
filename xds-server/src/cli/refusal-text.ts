import type { Refusal } from "./answers.ts";
import { printable } from "./terminal.ts";

/** A refusal in one line; where the reason does not say which resource it means, so does the line. */
export function refusalText({ name, reason, suspects }: Pick<Refusal, "name" | "reason" | "suspects">): string {
  const hint = suspects === undefined ? "" : ` (one of ${suspects} refused together; the reason names none of them)`;
  return `${printable(name)}: ${printable(reason)}${hint}`;
}
