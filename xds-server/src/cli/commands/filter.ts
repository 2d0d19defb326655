import type { Command } from "commander";
import { command } from "../admin-command.ts";
import { filterBuildCommand } from "./filter-build.ts";
import { filterListCommand } from "./filter-list.ts";
import { filterPushCommand } from "./filter-push.ts";
import { filterRollbackCommand } from "./filter-rollback.ts";
import { filterVersionsCommand } from "./filter-versions.ts";

export function filterCommand(): Command {
  return command("filter", "build Wasm filters, push them to running proxies, go back to earlier versions")
    .addCommand(filterBuildCommand())
    .addCommand(filterPushCommand())
    .addCommand(filterListCommand())
    .addCommand(filterVersionsCommand())
    .addCommand(filterRollbackCommand());
}
