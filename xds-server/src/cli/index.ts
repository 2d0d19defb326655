import type { Command } from "commander";
import { applyCommand } from "./commands/apply.ts";
import { deleteCommand } from "./commands/delete.ts";
import { diffCommand } from "./commands/diff.ts";
import { filterCommand } from "./commands/filter.ts";
import { getCommand } from "./commands/get.ts";
import { loadCommand } from "./commands/load.ts";
import { restoreCommand } from "./commands/restore.ts";
import { revisionsCommand } from "./commands/revisions.ts";
import { statusCommand } from "./commands/status.ts";

/** The commands for a running server and for filters, in the order of --help. */
export function cliCommands(): Command[] {
  return [
    applyCommand(),
    getCommand(),
    deleteCommand(),
    diffCommand(),
    statusCommand(),
    loadCommand(),
    revisionsCommand(),
    restoreCommand(),
    filterCommand(),
  ];
}
