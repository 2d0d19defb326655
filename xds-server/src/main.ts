import { Command } from "commander";
import { cliCommands } from "./cli/index.ts";
import { serveCommand } from "./serve.ts";
import { upCommand } from "./up/command.ts";

const program = new Command("chancery")
  .description("Run and extend Envoy: serve it its configuration, change routes, load Wasm filters")
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));
for (const command of [upCommand(), serveCommand(), ...cliCommands()]) program.addCommand(command);

try {
  await program.parseAsync();
} catch (error) {
  const hint = error instanceof Error && "hint" in error ? `\n  ${error.hint}` : "";
  process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}${hint}\n`);
  process.exitCode = 1;
}
