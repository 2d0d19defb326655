import { Argument, type Command } from "commander";
import { type AdminOptions, adminCommand, run } from "../admin-command.ts";
import { printWritten, sendWrite, type WriteOptions, withWriteOptions } from "../written.ts";

interface RollbackOptions extends AdminOptions, WriteOptions {
  readonly to?: string;
}

export function filterRollbackCommand(): Command {
  return withWriteOptions(adminCommand("rollback", "go back to an earlier version of a filter, as a new revision"))
    .addArgument(new Argument("<name>", "the filter"))
    .option("--to <version>", "the version; the one that ran before the present one when left out")
    .addHelpText("after", rollbackHelp)
    .action(async function (this: Command, name: string) {
      await run<RollbackOptions>(async (client, options) => {
        const { to } = options;
        const { body } = await sendWrite(client, "rollbackFilter", options, { params: { name }, query: { to } });
        return printWritten(body, options.output);
      }).call(this);
    });
}

const rollbackHelp = `
The version comes back with the configuration that it last ran with. Listeners, order and failure policy stay.

Examples:
  chancery filter rollback request-policy
  chancery filter rollback request-policy --to 1.2.0`;
