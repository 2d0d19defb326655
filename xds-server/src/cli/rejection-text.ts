import type { ResourceRejection } from "../admin-api/writes.ts";
import { printable } from "./terminal.ts";

/** A rejection in one line. The line says so when the reason does not name the resource at fault. */
export function rejectionText({
  name,
  reason,
  suspects,
}: Pick<ResourceRejection, "name" | "reason" | "suspects">): string {
  const hint = suspects === undefined ? "" : ` (one of ${suspects} rejected together; the reason names none of them)`;
  return `${printable(name)}: ${printable(reason)}${hint}`;
}
