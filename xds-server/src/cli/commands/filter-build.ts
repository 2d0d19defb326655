import { createHash } from "node:crypto";
import type { Command } from "commander";
import { Option } from "commander";
import { type AdminOptions, command, run } from "../admin-command.ts";
import { exitCodes } from "../exit-codes.ts";
import { filterModule } from "../filter-module.ts";
import { print, printError, printJson } from "../terminal.ts";

export function filterBuildCommand(): Command {
  return command("build", "compile a filter's folder to DIR/build/NAME.wasm")
    .argument("<dir>", "the filter's folder")
    .addOption(new Option("-o, --output <format>", "how to print").choices(["text", "json"]).default("text"))
    .addHelpText("after", "\nExample:\n  chancery filter build filters/request-policy")
    .action(async function (this: Command, directory: string) {
      await run<AdminOptions>(async (_client, { output }) => {
        const { name, wasm, wasmPath, warnings } = await filterModule(directory);
        for (const warning of warnings) printError(warning);
        const sha256 = createHash("sha256").update(wasm).digest("hex");
        if (output === "json") printJson({ name, sha256, bytes: wasm.byteLength, wasmPath, warnings });
        else print(`${wasmPath}: ${wasm.byteLength} bytes, sha256 ${sha256}`);
        return exitCodes.done;
      }).call(this);
    });
}
