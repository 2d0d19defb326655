import type { Command } from "commander";
import { command } from "../admin-command.ts";
import { filterBenchCommand } from "./filter-bench.ts";
import { filterBuildCommand } from "./filter-build.ts";
import { filterListCommand } from "./filter-list.ts";
import { filterLocateCommand } from "./filter-locate.ts";
import { filterNewCommand } from "./filter-new.ts";
import { filterPushCommand } from "./filter-push.ts";
import { filterRollbackCommand } from "./filter-rollback.ts";
import { filterTestCommand } from "./filter-test.ts";
import { filterVersionsCommand } from "./filter-versions.ts";

export function filterCommand(): Command {
  return command("filter", "build Wasm filters, push them to running proxies, and go back to earlier versions")
    .addCommand(filterNewCommand())
    .addCommand(filterBuildCommand())
    .addCommand(filterTestCommand())
    .addCommand(filterBenchCommand())
    .addCommand(filterPushCommand())
    .addCommand(filterListCommand())
    .addCommand(filterVersionsCommand())
    .addCommand(filterRollbackCommand())
    .addCommand(filterLocateCommand());
}
