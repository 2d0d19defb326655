import { Command } from "commander";
import { cliCommands } from "./cli/index.ts";
import { serveCommand } from "./serve/command.ts";
import { upCommand } from "./up/command.ts";

const program = new Command("chancery")
  .description("Run and extend Envoy: serve it its configuration, change routes, load Wasm filters")
  .showSuggestionAfterError()
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));
for (const command of [upCommand(), serveCommand(), ...cliCommands()]) {
  program.addCommand(command.copyInheritedSettings(program));
}

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`error: ${errorText(error)}\n`);
  process.exitCode = 1;
}

/** What went wrong, with the code to look up in docs/PROBLEMS.md and what to do, where the error says so. */
function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { message, code, hint } = error as Error & { readonly code?: unknown; readonly hint?: unknown };
  const isOurs = typeof code === "string" && hint !== undefined;
  return isOurs ? `${message} [${code}]\n  ${hint}` : message;
}
