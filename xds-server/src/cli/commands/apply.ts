import type { Command } from "commander";
import { type AdminOptions, adminCommand, run } from "../admin-command.ts";
import { readDocumentFiles, withSources } from "../document-files.ts";
import { repeated } from "../option-values.ts";
import { printWritten, sendApply, type WriteOptions, withWriteOptions } from "../written.ts";

interface ApplyOptions extends AdminOptions, WriteOptions {
  readonly file: readonly string[];
}

export function applyCommand(): Command {
  return withWriteOptions(adminCommand("apply", "create or replace documents in one revision, all or nothing"))
    .requiredOption("-f, --file <path>", 'a file, a folder, or "-" for standard input; may be repeated', repeated)
    .addHelpText("after", "\nExample:\n  chancery apply -f weights.yaml -m 'send half of the requests to v2'")
    .action(
      run<ApplyOptions>(async (client, options) => {
        const read = readDocumentFiles(options.file);
        const { body } = await withSources(read, sendApply(client, options, { set: read.documents }));
        return printWritten(body, options.output);
      }),
    );
}
