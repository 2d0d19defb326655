import { Argument, type Command } from "commander";
import type { FilterVersion } from "../../admin-api/filters.ts";
import { type AdminOptions, adminCommand, run } from "../admin-command.ts";
import { exitCodes } from "../exit-codes.ts";
import { print, printable, printJson, table } from "../terminal.ts";

export function filterVersionsCommand(): Command {
  return adminCommand("versions", "list the versions of a filter that the server keeps, newest first")
    .addArgument(new Argument("[name]", "the name of the filter; if left out, all filters"))
    .addHelpText("after", "\nExample:\n  chancery filter versions request-policy")
    .action(async function (this: Command, name: string | undefined) {
      await run<AdminOptions>(async (client, { output }) => {
        const { body } = await (name === undefined
          ? client.send("allFilterVersions", {})
          : client.send("filterVersions", { params: { name } }));
        if (output === "json") printJson(body.items);
        else if (body.items.length === 0)
          print(name === undefined ? "No filter has been pushed yet." : `The server keeps no version of "${name}".`);
        else print(table(["FILTER", "VERSION", "DIGEST", "BYTES", "PUSHED", "RUNS AS"], body.items.map(rowOf)));
        return exitCodes.done;
      }).call(this);
    });
}

function rowOf({ filter, version, sha256, bytes, pushedAt, usedBy }: FilterVersion): readonly string[] {
  const pushed = new Date(pushedAt).toISOString();
  return [printable(filter), version, sha256.slice(0, 12), String(bytes), pushed, usedBy.map(printable).join(", ")];
}
