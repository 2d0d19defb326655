import { Argument, type Command } from "commander";
import { command, runLocally } from "../admin-command.ts";
import { CommandFailure, exitCodes } from "../exit-codes.ts";
import { print } from "../terminal.ts";

export function filterNewCommand(): Command {
  return command("new", "create the folder of a new filter: source, configuration with its schema, tests, README")
    .addArgument(new Argument("<name>", "the name of the filter"))
    .option("--dir <dir>", "the folder to create; if left out, the name of the filter")
    .addHelpText("after", "\nExample:\n  chancery filter new door-keeper")
    .action((name: string, { dir = name }: { readonly dir?: string }) => runLocally(undefined, () => make(name, dir)));
}

async function make(name: string, dir: string): Promise<number> {
  const { newFilter } = await import("@chancery/filter-sdk/new");
  const made = await newFilter(dir, name);
  if (!made.ok) throw new CommandFailure(exitCodes.rejected, made.error);
  for (const file of made.files) print(`${dir}/${file}`);
  const next = ["build", "test", "push"].map(
    (verb) => `  chancery filter ${verb} ${dir}${verb === "push" ? " --to LISTENER" : ""}`,
  );
  print(`\nFilter "${name}" is created. Next:\n${next.join("\n")}`);
  return exitCodes.done;
}
