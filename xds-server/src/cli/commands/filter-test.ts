import { spawn } from "node:child_process";
import { globSync, readdirSync, watch } from "node:fs";
import { extname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { command, runLocally } from "../admin-command.ts";
import { CommandFailure, exitCodes } from "../exit-codes.ts";
import { filterModule } from "../filter-module.ts";
import { print, printError } from "../terminal.ts";

interface TestOptions {
  readonly watch?: boolean;
}

/** How long to wait after a change, in milliseconds, because an editor may write several times when it saves. */
const settleMs = 100;

export function filterTestCommand(): Command {
  return command("test", "build a filter and run its tests (DIR/test/*.test.ts or .js), without Envoy")
    .argument("<dir>", "the folder of the filter")
    .option("-w, --watch", "build and test again whenever a file changes, until interrupted")
    .addHelpText("after", "\nExample:\n  chancery filter test door-keeper --watch")
    .action((directory: string, options: TestOptions) =>
      runLocally(undefined, () => (options.watch ? testAgain(directory) : test(directory))),
    );
}

async function test(directory: string): Promise<number> {
  const { warnings } = await filterModule(directory);
  for (const warning of warnings) printError(warning);
  const files = globSync("test/**/*.test.{ts,mts,js,mjs}", { cwd: directory }).sort();
  if (files.length === 0) {
    throw new CommandFailure(
      exitCodes.rejected,
      `${join(directory, "test")} contains no tests, such as test/some.test.ts`,
    );
  }
  const packages = fileURLToPath(new URL(`../toolkit-packages${extname(import.meta.filename)}`, import.meta.url));
  const flags = ["--disable-warning=ExperimentalWarning", "--experimental-strip-types", "--import", packages, "--test"];
  // Node's test runner runs nothing when this variable says that another test runner started it.
  const { NODE_TEST_CONTEXT: _context, ...env } = process.env;
  const child = spawn(process.execPath, [...flags, ...files], { cwd: directory, stdio: "inherit", env });
  const { promise, resolve: settle, reject } = Promise.withResolvers<number | null>();
  child.on("error", reject).on("exit", settle);
  return (await promise) === 0 ? exitCodes.done : exitCodes.rejected;
}

async function testAgain(directory: string): Promise<number> {
  for (;;) {
    // Watched from before the build, so that a file saved during the build is built next.
    const changed = nextChange(directory);
    await runLocally(undefined, () => test(directory));
    print("\nWaiting for a change.");
    await changed;
    await pause(settleMs);
  }
}

/** Resolves when a file is saved. Watches each folder separately: Node's recursive watch loses files that editors replace. */
function nextChange(directory: string): Promise<void> {
  const { promise, resolve: settle } = Promise.withResolvers<void>();
  const watchers = [directory, ...foldersIn(directory)].map((folder) =>
    watch(folder, (_event, file) => {
      if (folder !== directory || file === null || !isOutput(file)) settle();
    }).on("error", () => settle()),
  );
  return promise.finally(() => {
    for (const watcher of watchers) watcher.close();
  });
}

function foldersIn(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !isOutput(entry.name))
    .map((entry) => join(directory, entry.name))
    .flatMap((folder) => [folder, ...foldersIn(folder)]);
}

/** True for what the folder of a filter contains besides its source. */
const isOutput = (name: string): boolean => ["build", "node_modules", ".git"].includes(name);
