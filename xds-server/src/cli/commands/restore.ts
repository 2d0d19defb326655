import { Argument, type Command } from "commander";
import { type AdminOptions, adminCommand, run } from "../admin-command.ts";
import { readRevision } from "../option-values.ts";
import { printWritten, sendWrite, type WriteOptions, withWriteOptions } from "../written.ts";

export function restoreCommand(): Command {
  return withWriteOptions(adminCommand("restore", "restore the mesh of an earlier revision, as a new revision"))
    .addArgument(
      new Argument("<revision>", "the number of the revision; `chancery revisions` lists them").argParser(readRevision),
    )
    .addHelpText("after", "\nExample:\n  chancery restore 7 -m 'the release was bad'")
    .action(async function (this: Command) {
      const revision = String(this.processedArgs[0]);
      await run<AdminOptions & WriteOptions>(async (client, options) => {
        const { body } = await sendWrite(client, "restore", options, { params: { revision } });
        return printWritten(body, options.output);
      }).call(this);
    });
}
