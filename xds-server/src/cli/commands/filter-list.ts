import type { Command } from "commander";
import type { FilterStatus } from "../../admin-api/filters.ts";
import { type AdminOptions, adminCommand, run } from "../admin-command.ts";
import { exitCodes } from "../exit-codes.ts";
import { print, printable, printJson, table } from "../terminal.ts";

export function filterListCommand(): Command {
  return adminCommand("list", "list the filters that run: their version, their listeners and their failure policy")
    .addHelpText("after", "\nExample:\n  chancery filter list")
    .action(
      run<AdminOptions>(async (client, { output }) => {
        const { body } = await client.send("filterStatuses", {});
        if (output === "json") printJson(body.items);
        else if (body.items.length === 0) print("No filter runs. Push one: `chancery filter push DIR --to LISTENER`.");
        else print(filtersTable(body.items));
        return exitCodes.done;
      }),
    );
}

export function filtersTable(filters: readonly FilterStatus[]): string {
  const rows = filters.flatMap(({ name, version = "(lost)", sha256, failure = "", listeners, canary }) => {
    const where = listeners.map(printable).join(", ");
    const row = [printable(name), version, sha256.slice(0, 12), failure, where];
    if (canary === undefined) return [row];
    const { percent, version: next = "(lost)" } = canary;
    return [row, ["", next, canary.sha256.slice(0, 12), "", `${percent}% of the requests`]];
  });
  return table(["FILTER", "VERSION", "DIGEST", "ON FAILURE", "LISTENERS"], rows);
}
