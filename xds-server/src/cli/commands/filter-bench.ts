import { platform } from "node:os";
import { resolve } from "node:path";
import { type Command, Option } from "commander";
import type { BenchResult, Spread } from "../../filter-bench/bench.ts";
import { readManifest } from "../../filter-registry/manifest.ts";
import { readBinary } from "../../filter-registry/wasm-binary.ts";
import { durationMs } from "../../model/fields.ts";
import { command, runLocally } from "../admin-command.ts";
import { CommandFailure, exitCodes } from "../exit-codes.ts";
import { filterModule, readConfig } from "../filter-module.ts";
import { readDuration, repeated } from "../option-values.ts";
import { print, printError, printJson, table } from "../terminal.ts";

interface BenchOptions {
  readonly config?: string;
  readonly path: string;
  readonly header?: readonly string[];
  readonly round: string;
  readonly output: "text" | "json";
}

const rounds = 7;

export function filterBenchCommand(): Command {
  return command(
    "bench",
    "measure the processor time that a filter adds to each request, with a real Envoy on this machine",
  )
    .argument("<path>", "the folder of a filter, or a .wasm file")
    .option("--config <file>", "the configuration of the filter, a JSON file; if left out, DIR/config.json")
    .option("--path <path>", "the path of the requests", "/")
    .option("-H, --header <header>", "a header of the requests, such as 'x-key: 1'; may be repeated", repeated)
    .addOption(
      new Option("--round <duration>", `the duration of each of ${2 * rounds} rounds`)
        .default("1s")
        .argParser(readDuration),
    )
    .addOption(
      new Option("-o, --output <format>", "the format of the output").choices(["text", "json"]).default("text"),
    )
    .addHelpText("after", "\nExample:\n  chancery filter bench filters/request-policy --path /catalog")
    .action((path: string, options: BenchOptions) => runLocally(options.output, () => bench(path, options)));
}

async function bench(path: string, { config, round, output, header = [], ...options }: BenchOptions): Promise<number> {
  if (platform() !== "linux") {
    throw new CommandFailure(
      exitCodes.rejected,
      "Cannot measure here: the processor time of threads can only be read on Linux",
    );
  }
  const module = await filterModule(path);
  for (const warning of module.warnings) printError(warning);
  const configuration = config === undefined ? module.config : readConfig(config, true);
  const { benchFilters } = await import("../../filter-bench/bench.ts");
  const filter = {
    name: module.name,
    wasmPath: resolve(module.wasmPath),
    ...(configuration === undefined ? {} : { config: configuration }),
    request: { path: options.path, headers: header },
    holdsHeaders: holdsHeaders(module.wasm),
  };
  const [result] = await benchFilters([filter], { roundMs: durationMs(round), rounds });
  if (result === undefined) throw new Error("the bench measured nothing");
  if (output === "json") printJson({ name: module.name, bytes: module.wasm.byteLength, ...result });
  else print(resultText(result));
  return exitCodes.done;
}

/** True if the module's manifest says so. False if the module has no manifest or cannot be read. */
function holdsHeaders(wasm: Uint8Array): boolean {
  const read = readBinary(wasm);
  const manifest = read.ok ? readManifest(read.binary) : undefined;
  return manifest?.ok === true && manifest.manifest?.holdsHeaders === true;
}

function resultText({ without, with: filtered, added, requests, statuses }: BenchResult): string {
  const row = (what: string, { median, least, most }: Spread) => [
    what,
    median.toFixed(2),
    least.toFixed(2),
    most.toFixed(2),
  ];
  const rows = [row("without the filter", without), row("with the filter", filtered), row("added", added)];
  const answered = Object.entries(statuses).map(([status, count]) => `${count} with ${status}`);
  const head = ["MICROSECONDS PER REQUEST", "MEDIAN", "LEAST", "MOST"];
  return `${table(head, rows)}\nProcessor time of Envoy with one worker; ${requests} filtered requests, answered ${answered.join(", ")}.`;
}
