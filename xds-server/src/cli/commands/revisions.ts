import { type Command, InvalidArgumentError } from "commander";
import type { RevisionSummary } from "../../admin-api/revisions.ts";
import { type AdminOptions, adminCommand, run } from "../admin-command.ts";
import { exitCodes } from "../exit-codes.ts";
import { print, printable, printJson, table } from "../terminal.ts";

interface RevisionsOptions extends AdminOptions {
  readonly limit: string;
  readonly before?: string;
}

/** The maximum number of changed documents that one line names. */
const maxNamed = 3;

export function revisionsCommand(): Command {
  return adminCommand("revisions", "list the revisions with author, time and changes, newest first")
    .option("--limit <number>", "the maximum number of revisions", readNumber, "20")
    .option("--before <revision>", "only the revisions before this one", readNumber)
    .addHelpText("after", "\nExample:\n  chancery revisions --limit 5")
    .action(
      run<RevisionsOptions>(async (client, { limit, before, output }) => {
        const query = { limit, before };
        const { body } = await client.send("revisions", { query });
        if (output === "json") printJson(body.items);
        else if (body.items.length === 0) print("No revisions.");
        else print(table(["REVISION", "TIME", "AUTHOR", "CHANGES", "MESSAGE"], body.items.map(tableRow)));
        return exitCodes.done;
      }),
    );
}

function tableRow({ revision, time, author, changes, message }: RevisionSummary): readonly string[] {
  const named = changes.slice(0, maxNamed).map(({ kind, name, change }) => `${kind} "${name}" ${change}`);
  const more = changes.length > maxNamed ? [`${changes.length - maxNamed} more`] : [];
  return [String(revision), new Date(time).toISOString(), author, [...named, ...more].join(", "), printable(message)];
}

function readNumber(text: string): string {
  if (/^\d{1,15}$/.test(text)) return text;
  throw new InvalidArgumentError("It must be a whole number.");
}
