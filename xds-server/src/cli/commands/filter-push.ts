import { type Command, Option } from "commander";
import type { FilterVersion } from "../../admin-api/filters.ts";
import type { Outcome, WriteAnswer } from "../../admin-api/writes.ts";
import type { Document } from "../../model/document.ts";
import type { FilterSpec } from "../../model/filter.ts";
import { type AdminOptions, adminCommand, run } from "../admin-command.ts";
import { runCanary } from "../canary.ts";
import type { AdminClient, Answer } from "../client.ts";
import { CommandFailure, exitCodes } from "../exit-codes.ts";
import { type FilterModule, filterModule, fuelled, readConfig } from "../filter-module.ts";
import { readDuration, readPercent, repeated } from "../option-values.ts";
import { print, printable, printError, printJson } from "../terminal.ts";
import { isFine, outcomesTable, printWritten, sendWrite, type WriteOptions, withWriteOptions } from "../written.ts";

interface PushOptions extends AdminOptions, WriteOptions {
  readonly to?: readonly string[];
  readonly config?: string;
  readonly failure?: "closed" | "open" | "reload";
  readonly name?: string;
  readonly version?: string;
  /** False with --no-fuel. */
  readonly fuel: boolean;
  readonly canary?: number;
  readonly step: string;
  readonly envoy?: readonly string[];
}

export function filterPushCommand(): Command {
  return withWriteOptions(adminCommand("push", "build a filter and load it into running proxies"))
    .argument("<path>", "the folder of a filter, or a .wasm file")
    .option(
      "--to <listeners>",
      "the listeners to run in, separated by commas; if left out, the same as before",
      (text) => text.split(","),
    )
    .option(
      "--config <file>",
      "the configuration, a JSON file; if left out, the same as before, or DIR/config.json for a new filter",
    )
    .addOption(
      new Option(
        "--failure <mode>",
        "what happens to requests after the filter has crashed; if left out, the same as before, or the module's own for a new filter",
      ).choices(["closed", "open", "reload"]),
    )
    .option("--name <name>", "the name of the Filter document; if left out, the filter's own name")
    .option("--version <version>", "the version of the module; if left out, the version in its manifest")
    .addOption(
      new Option(
        "--canary <percent>",
        "give the new version to a share of the requests, watch them, then increase the share or roll back",
      ).argParser(readPercent),
    )
    .addOption(
      new Option("--step <duration>", "with --canary: how long each share is watched at least")
        .default("30s")
        .argParser(readDuration),
    )
    .addOption(
      new Option("--envoy <url>", "with --canary: the admin address of an Envoy; may be repeated")
        .default(undefined, "http://127.0.0.1:9901")
        .argParser(repeated),
    )
    .option("--no-fuel", "do not limit the time of callbacks; with the limit, an endless loop traps after about 30 ms")
    .addHelpText("after", pushHelp)
    .action(async function (this: Command, path: string) {
      await run<PushOptions>((client, options) => push(client, path, options)).call(this);
    });
}

const pushHelp = `
If a proxy rejects the filter, the previous version is restored and the exit code is 1.

With --canary 1% the new version gets 1% of the requests, then 10%, 50% and all. It is rolled back if more of its requests fail
(5xx) than with the old version, or if they take much longer. The exit code is then 1. Ctrl-C rolls it back too.

Examples:
  chancery filter push filters/request-policy --to shop-edge
  chancery filter push build/mine.wasm --config mine.json
  chancery filter push filters/request-policy --canary 1%`;

async function push(client: AdminClient, path: string, options: PushOptions): Promise<number> {
  const built = await filterModule(path);
  const module = options.fuel ? await fuelled(built) : built;
  for (const warning of module.warnings) printError(warning);
  const name = options.name ?? module.name;
  const former = await client.find("Filter", name);
  const { body: version } = await client.send("pushFilter", {
    params: { name },
    query: { version: options.version },
    wasm: module.wasm,
  });
  if (module.map !== undefined) {
    const params = { name, version: version.version };
    await client.send("putSourceMap", { params, body: JSON.parse(module.map) });
  }
  const spec = specOf(version.sha256, { module, options, former: former?.body });
  if (options.canary !== undefined) return await pushCanary(client, { name, version, spec, former, options });
  // The write is rejected if another writer has changed the document since it was read. Otherwise, to restore it later
  // could undo that change.
  const unchanged = former?.etag === undefined ? { "if-none-match": "*" } : { "if-match": former.etag };
  const message = options.message ?? `push ${name} ${version.version}`;
  const written = await sendWrite(
    client,
    "putDocument",
    { ...options, message },
    { params: paramsOf(name), body: { spec }, headers: unchanged },
  );
  const rejecting = (written.body.proxies ?? []).filter(({ state }) => state === "rejected");
  if (rejecting.length === 0) {
    const exitCode = printWritten(written.body, options.output);
    if (options.output !== "json")
      print(`Filter "${name}" is version ${version.version} (${version.sha256.slice(0, 12)}, ${version.bytes} bytes).`);
    return exitCode;
  }
  const restored = await restoreFormer(client, name, { former, written, rejecting, options });
  if (options.output === "json") printJson({ rejected: written.body, restored });
  else {
    print(outcomesTable(written.body.proxies ?? []));
    for (const each of rejecting) printError(rejectionText(name, each));
    const what = former === undefined ? "removed again" : `back at version ${former.body.spec.sha256.slice(0, 12)}`;
    const unsettled = (restored.proxies ?? [])
      .filter((outcome) => !isFine(outcome))
      .map(({ nodeId }) => printable(nodeId));
    const but = unsettled.length === 0 ? "" : `, but these proxies have not accepted it: ${unsettled.join(", ")}`;
    printError(`The filter is ${what} (revision ${restored.revision})${but}.`);
  }
  return exitCodes.rejected;
}

interface Canary {
  readonly name: string;
  readonly version: FilterVersion;
  readonly spec: FilterSpec;
  readonly former: Answer<Document<"Filter">> | undefined;
  readonly options: PushOptions;
}

async function pushCanary(client: AdminClient, { name, version, spec, former, options }: Canary): Promise<number> {
  if (former === undefined || former.body.spec.sha256 === version.sha256) {
    const why = former === undefined ? "no version of this filter runs yet" : "this module already runs";
    throw new CommandFailure(exitCodes.usage, `Cannot run a canary: ${why}; push it without --canary`);
  }
  const { canary: percent = 1, step, envoy: envoys = ["http://127.0.0.1:9901"] } = options;
  const report = (line: string) => (options.output === "json" ? undefined : print(line));
  const end = await runCanary({ client, name, former, next: spec, percent, step, envoys, options, report });
  if (options.output === "json") printJson({ version, ...end });
  else if (end.succeeded)
    print(`Filter "${name}" is version ${version.version} for all requests (revision ${end.revision}).`);
  else
    printError(
      `Version ${version.version} of filter "${name}" was rolled back: ${end.why} (revision ${end.revision}).`,
    );
  return end.succeeded ? exitCodes.done : exitCodes.rejected;
}

function specOf(
  sha256: string,
  { module, options, former }: { module: FilterModule; options: PushOptions; former: Document<"Filter"> | undefined },
): FilterSpec {
  const listeners = options.to ?? former?.spec.listeners;
  if (listeners === undefined) {
    throw new CommandFailure(
      exitCodes.usage,
      "This filter is new: give the listeners that it runs in, such as --to shop-edge",
    );
  }
  const config =
    options.config === undefined ? (former?.spec.config ?? module.config) : readConfig(options.config, true);
  const { failure = former?.spec.failure } = options;
  const { canary: _canary, ...kept } = former?.spec ?? {};
  return {
    ...kept,
    listeners,
    sha256,
    ...(config === undefined ? {} : { config }),
    ...(failure === undefined ? {} : { failure }),
  };
}

const paramsOf = (name: string) => ({ plural: "filters", name });

interface Rejected {
  readonly former: Answer<Document<"Filter">> | undefined;
  readonly written: Answer<WriteAnswer>;
  readonly rejecting: readonly Outcome[];
  readonly options: PushOptions;
}

/** Restores the former document, or deletes a new one. */
async function restoreFormer(
  client: AdminClient,
  name: string,
  { former, written, rejecting, options }: Rejected,
): Promise<WriteAnswer> {
  const who = rejecting
    .map(({ nodeId }) => printable(nodeId))
    .slice(0, 3)
    .join(", ");
  const write = { ...options, message: `restore the previous version: rejected by ${who}` };
  const headers: Record<string, string> = written.etag === undefined ? {} : { "if-match": written.etag };
  const params = paramsOf(name);
  if (former === undefined) return (await sendWrite(client, "deleteDocument", write, { params, headers })).body;
  return (await sendWrite(client, "putDocument", write, { params, body: former.body, headers })).body;
}

function rejectionText(name: string, { nodeId, rejections }: Outcome): string {
  const reasons = rejections.map(
    ({ type, name: resource, reason }) => `${type} ${printable(resource)}: ${printable(reason)}`,
  );
  return `Proxy "${printable(nodeId)}" rejected filter "${name}": ${reasons.join("; ")}`;
}
