import { Argument, type Command } from "commander";
import { type AdminOptions, adminCommand, run } from "../admin-command.ts";
import { printWritten, sendWrite, type WriteOptions, withWriteOptions } from "../written.ts";

interface RollbackOptions extends AdminOptions, WriteOptions {
  readonly to?: string;
}

export function filterRollbackCommand(): Command {
  return withWriteOptions(adminCommand("rollback", "go back to an earlier version of a filter, as a new revision"))
    .addArgument(new Argument("<name>", "the name of the filter"))
    .option("--to <version>", "the version to go back to; if left out, the version that ran before the current one")
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
The configuration that the version last ran with is restored too. Listeners, order and failure policy do not change.

Examples:
  chancery filter rollback request-policy
  chancery filter rollback request-policy --to 1.2.0`;
