import type { Command } from "commander";
import { type AdminOptions, adminCommand, run } from "../admin-command.ts";
import type { FilterDocument, FilterVersion, List } from "../answers.ts";
import { apiPath } from "../client.ts";
import { exitCodes } from "../exit-codes.ts";
import { print, printJson, table } from "../terminal.ts";

export function filterListCommand(): Command {
  return adminCommand("list", "list filters: where they run, and the versions that were pushed")
    .addHelpText("after", "\nExample:\n  chancery filter list")
    .action(
      run<AdminOptions>(async (client, { output }) => {
        const filters = await client.send<List<FilterDocument>>(apiPath("filters"));
        const versions = await client.send<List<FilterVersion>>(apiPath("filter-versions"));
        const listed = { filters: filters.body.items, versions: versions.body.items };
        if (output === "json") printJson(listed);
        else if (listed.versions.length === 0) print("No filter was pushed yet.");
        else
          print(
            table(["FILTER", "VERSION", "BYTES", "UPLOADED", "RUNS IN"], listed.versions.map(rowOf(listed.filters))),
          );
        return exitCodes.done;
      }),
    );
}

function rowOf(filters: readonly FilterDocument[]): (version: FilterVersion) => readonly string[] {
  return ({ filter, sha256, bytes, uploadedAt, usedBy }) => {
    const runs = filters.filter(({ name }) => usedBy.includes(name));
    const where = runs.map(({ name, spec }) => `${spec.listeners.join(", ")}${name === filter ? "" : ` (as ${name})`}`);
    return [filter, sha256.slice(0, 12), String(bytes), new Date(uploadedAt).toISOString(), where.join("; ")];
  };
}
