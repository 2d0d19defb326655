import { createHash } from "node:crypto";
import { type Command, Option } from "commander";
import { defaultModuleLimits, inspectModule } from "../../filter-registry/module-check.ts";
import { problemOf } from "../../model/problem.ts";
import { command, runLocally } from "../admin-command.ts";
import { CommandFailure, exitCodes } from "../exit-codes.ts";
import { filterModule } from "../filter-module.ts";
import { print, printError, printJson } from "../terminal.ts";

interface BuildOptions {
  readonly output: "text" | "json";
}

export function filterBuildCommand(): Command {
  return command("build", "compile the filter in a folder to DIR/build/NAME.wasm, and check it as the server does")
    .argument("<dir>", "the folder of the filter")
    .addOption(
      new Option("-o, --output <format>", "the format of the output").choices(["text", "json"]).default("text"),
    )
    .addHelpText("after", "\nExample:\n  chancery filter build filters/request-policy")
    .action((directory: string, { output }: BuildOptions) => runLocally(output, () => build(directory, output)));
}

async function build(directory: string, output: BuildOptions["output"]): Promise<number> {
  const { name, wasm, wasmPath, warnings } = await filterModule(directory);
  for (const warning of warnings) printError(warning);
  const inspected = await inspectModule(wasm, defaultModuleLimits);
  if (!inspected.ok) {
    const action = `Cannot use ${wasmPath}`;
    const problems = inspected.faults.map((fault) => problemOf(fault, { action, subject: "it" }));
    throw new CommandFailure(exitCodes.rejected, action, problems);
  }
  const { abi, hostCalls, manifest } = inspected.facts;
  const sha256 = createHash("sha256").update(wasm).digest("hex");
  const bytes = wasm.byteLength;
  if (output === "json") printJson({ name, sha256, bytes, wasmPath, abi, capabilities: hostCalls, manifest, warnings });
  else {
    print(`${wasmPath}: ${bytes} bytes, sha256 ${sha256}`);
    print(`proxy-wasm ${abi}, host calls: ${hostCalls.join(", ")}`);
  }
  return exitCodes.done;
}
