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
  process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
