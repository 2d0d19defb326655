import { Argument, type Command } from "commander";
import type { WriteAnswer } from "../../admin-api/writes.ts";
import { type AdminOptions, adminCommand, run } from "../admin-command.ts";
import type { AdminClient } from "../client.ts";
import { readDocumentFiles, withSources } from "../document-files.ts";
import { CommandFailure, exitCodes } from "../exit-codes.ts";
import { yamlDiff } from "../line-diff.ts";
import { readRevision, repeated } from "../option-values.ts";
import { coloured, colouredState, print, printable, printJson } from "../terminal.ts";

interface DiffOptions extends AdminOptions {
  readonly file?: readonly string[];
  readonly exitCode?: boolean;
}

export function diffCommand(): Command {
  return adminCommand("diff", "show what an apply would change, or what changed between two revisions")
    .addArgument(new Argument("[from]", "a revision").argParser(readRevision))
    .addArgument(new Argument("[to]", "a later revision; if left out, the newest one").argParser(readRevision))
    .option(
      "-f, --file <path>",
      'show what an apply of a file, a folder, or standard input ("-") would change; may be repeated',
      repeated,
    )
    .option("--exit-code", "end with exit code 1 if there are differences")
    .addHelpText("after", "\nExamples:\n  chancery diff -f weights.yaml\n  chancery diff 3 7")
    .action(async function (this: Command) {
      const [from, to]: [number?, number?] = [this.processedArgs[0], this.processedArgs[1]];
      await run<DiffOptions>(async (client, options) => {
        const difference = await read(client, options.file, { from, to });
        if (options.output === "json") printJson(difference);
        else printDifference(difference);
        return options.exitCode && difference.changes.length > 0 ? exitCodes.rejected : exitCodes.done;
      }).call(this);
    });
}

async function read(
  client: AdminClient,
  files: readonly string[] | undefined,
  { from, to }: { readonly from: number | undefined; readonly to: number | undefined },
): Promise<Difference> {
  if (files !== undefined && from === undefined) {
    const documents = readDocumentFiles(files);
    const request = { query: { dryRun: "true" }, body: { set: documents.documents } } as const;
    return (await withSources(documents, client.send("apply", request))).body;
  }
  if (files === undefined && from !== undefined) {
    const query = { from: String(from), to: to === undefined ? undefined : String(to) };
    return (await client.send("revisionDiff", { query })).body;
  }
  throw new CommandFailure(exitCodes.usage, "Give -f FILE, or one or two revisions: `chancery diff 3 7`");
}

/** The response to a dry run or to a comparison of revisions. */
type Difference = Pick<WriteAnswer, "changes" | "impact">;

const colours = { " ": "gray", "-": "red", "+": "green" } as const;

function printDifference({ changes, impact = [] }: Difference): void {
  if (changes.length === 0) print("No differences.");
  for (const { kind, name, change, before, after } of changes) {
    print(`${kind} "${name}" ${colouredState(change)}`);
    for (const { sign, text } of yamlDiff(before?.spec, after?.spec))
      print(coloured(colours[sign], `  ${sign} ${text}`));
  }
  for (const { nodeGroup, from, resources, proxies } of impact) {
    const names = resources.map(({ type, name, change }) => `${type} ${name} ${change}`).join(", ") || "nothing else";
    const who = proxies.length === 0 ? "no connected proxy" : proxies.map(printable).join(", ");
    const where = from === undefined ? `Node group "${nodeGroup}"` : `From node group "${from}" to "${nodeGroup}"`;
    print(`${where} (${who}): ${names}`);
  }
}
