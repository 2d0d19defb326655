import { text } from "node:stream/consumers";
import { Argument, type Command } from "commander";
import type { Place, Trap } from "../../admin-api/filters.ts";
import { type AdminOptions, adminCommand, run } from "../admin-command.ts";
import { CommandFailure, exitCodes } from "../exit-codes.ts";
import { print, printable, printJson } from "../terminal.ts";

interface LocateOptions extends AdminOptions {
  readonly version?: string;
}

export function filterLocateCommand(): Command {
  return adminCommand("locate", "locate a trap in the source of a filter, from Envoy's log on standard input")
    .addArgument(new Argument("<name>", "the name of the filter"))
    .option("--version <version>", "the version that trapped; if left out, the version that runs")
    .addHelpText("after", "\nExample:\n  tail -50 envoy.log | chancery filter locate request-policy")
    .action(async function (this: Command, name: string) {
      await run<LocateOptions>(async (client, options) => {
        const { body: status } = await client.send("filterStatuses", {});
        const version = options.version ?? status.items.find((each) => each.name === name)?.version;
        if (version === undefined) {
          throw new CommandFailure(exitCodes.usage, `Filter "${name}" does not run: give the version with --version`);
        }
        const body = { text: await text(process.stdin) };
        const { body: trap } = await client.send("locateTrap", { params: { name, version }, body });
        if (options.output === "json") printJson({ ...trap, version });
        else printTrap(name, version, trap);
        return exitCodes.done;
      }).call(this);
    });
}

function printTrap(name: string, version: string, { callback, cause, at, places }: Trap): void {
  const where = callback === undefined ? "" : ` in ${printable(callback)}`;
  print(`${name} ${version} trapped${where}: ${printable(cause)}${at === undefined ? "" : `, at ${shown(at)}`}`);
  for (const place of places) print(`  at ${shown(place)}`);
}

const shown = ({ file, line, column }: Place): string => `${printable(file)}:${line}:${column}`;
