import { Argument, type Command } from "commander";
import type { WriteAnswer } from "../../admin-api/writes.ts";
import type { DocumentKey } from "../../model/document.ts";
import type { KindRow } from "../../model/kinds.ts";
import { problemOf } from "../../model/problem.ts";
import { type AdminOptions, adminCommand, run } from "../admin-command.ts";
import { readDocumentFiles } from "../document-files.ts";
import { CommandFailure, exitCodes } from "../exit-codes.ts";
import { readKind, repeated } from "../option-values.ts";
import { printWritten, sendApply, type WriteOptions, withWriteOptions } from "../written.ts";

interface DeleteOptions extends AdminOptions, WriteOptions {
  readonly file?: readonly string[];
}

export function deleteCommand(): Command {
  return withWriteOptions(adminCommand("delete", "delete documents in one revision, all or nothing"))
    .addArgument(new Argument("[kind]", 'such as "clusters" or "Cluster"').argParser(readKind))
    .argument("[names...]", "the names of the documents")
    .option(
      "-f, --file <path>",
      'delete the documents in a file, a folder, or standard input ("-"); may be repeated',
      repeated,
    )
    .addHelpText("after", "\nExamples:\n  chancery delete routes shop\n  chancery delete -f weights.yaml")
    .action(async function (this: Command) {
      const [row, names]: [KindRow | undefined, readonly string[]] = [this.processedArgs[0], this.processedArgs[1]];
      await run<DeleteOptions>(async (client, options) => {
        const keys = keysOf(row, names, options.file);
        const dryRun = await client.send("apply", { query: { dryRun: "true" }, body: { delete: keys } });
        rejectMissing(keys, dryRun.body);
        const { body } = await sendApply(client, options, { delete: keys });
        return printWritten(body, options.output);
      }).call(this);
    });
}

function keysOf(
  row: KindRow | undefined,
  names: readonly string[],
  files: readonly string[] | undefined,
): readonly DocumentKey[] {
  if (files !== undefined && row === undefined)
    return readDocumentFiles(files).documents.map(({ kind, name }) => ({ kind, name }));
  if (files === undefined && row !== undefined && names.length > 0)
    return names.map((name) => ({ kind: row.kind, name }));
  throw new CommandFailure(exitCodes.usage, "Give a kind and at least one name, or -f: `chancery delete routes shop`");
}

/** A name that does not exist is probably mistyped. The server would ignore it. */
function rejectMissing(keys: readonly DocumentKey[], { changes }: WriteAnswer): void {
  const found = new Set(changes.map(({ kind, name }) => `${kind} ${name}`));
  const missing = keys.filter(({ kind, name }) => !found.has(`${kind} ${name}`));
  if (missing.length === 0) return;
  const hint = "nothing was deleted; `chancery get` lists the documents";
  const fault = { code: "DOCUMENT_UNKNOWN", message: "it does not exist", hint } as const;
  const problems = missing.map(({ kind, name }) =>
    problemOf(fault, { action: `Cannot delete ${kind} "${name}"`, kind, name }),
  );
  throw new CommandFailure(exitCodes.rejected, "Nothing was deleted", problems);
}
