import { type Command, Option } from "commander";
import type { Outcome, WriteAnswer } from "../admin-api/writes.ts";
import { durationMs } from "../model/fields.ts";
import type { AdminClient, Answer, Request } from "./client.ts";
import { exitCodes } from "./exit-codes.ts";
import { readDuration } from "./option-values.ts";
import { rejectionText } from "./rejection-text.ts";
import { coloured, colouredState, print, printable, printJson, table } from "./terminal.ts";

/** The options of every command that writes. */
export interface WriteOptions {
  /** False with --no-wait. */
  readonly wait: boolean;
  readonly timeout: string;
  readonly message?: string;
}

export function withWriteOptions(command: Command): Command {
  return command
    .option("--no-wait", "do not wait until the proxies have answered")
    .addOption(
      new Option("--timeout <duration>", "how long to wait until the proxies have answered")
        .default("10s")
        .argParser(readDuration),
    )
    .option("-m, --message <text>", "why the change is made, in one line; the revision keeps it");
}

/** The operations that change the mesh. */
type WriteName = "apply" | "putDocument" | "deleteDocument" | "restore" | "rollbackFilter";

/** Sends a write. Unless --no-wait is given, waits until every affected proxy has accepted or rejected it. */
export function sendWrite<Name extends WriteName>(
  client: AdminClient,
  name: Name,
  { wait, timeout, message }: WriteOptions,
  request: Request<Name>,
): Promise<Answer<WriteAnswer>> {
  const waiting = wait ? { wait: timeout } : {};
  const query = { ...waiting, message, ...request.query };
  const sent = { ...request, query, extraMs: wait ? durationMs(timeout) : 0 };
  return client.send<WriteName>(name, sent as Request<WriteName>);
}

/** Sets and deletes documents in one revision. */
export function sendApply(client: AdminClient, options: WriteOptions, body: unknown): Promise<Answer<WriteAnswer>> {
  return sendWrite(client, "apply", options, { body });
}

/** Prints the result of a write. Returns the exit code: done when every connected proxy has accepted it. */
export function printWritten(answer: WriteAnswer, output: string | undefined): number {
  if (output === "json") printJson(answer);
  else printText(answer);
  return (answer.proxies ?? []).every(isFine) ? exitCodes.done : exitCodes.rejected;
}

export function isFine({ state }: Outcome): boolean {
  return state === "synced" || state === "disconnected";
}

function printText({ revision, changes, unchanged, proxies }: WriteAnswer): void {
  const words = [
    ...changes.map(({ kind, name, change }) => ({ kind, name, word: change as string })),
    ...unchanged.map(({ kind, name }) => ({ kind, name, word: "unchanged" })),
  ];
  for (const { kind, name, word } of words) print(`${kind} "${name}" ${colouredState(word)}`);
  if (changes.length === 0) print(`Nothing to change; the revision is still ${revision}.`);
  else print(`Revision ${coloured("bold", String(revision))}.`);
  if (proxies === undefined) return;
  if (changes.length > 0 && proxies.length === 0) print("No connected proxy is affected.");
  if (proxies.length > 0) print(outcomesTable(proxies));
}

export function outcomesTable(proxies: readonly Outcome[]): string {
  const rows = proxies.flatMap(({ nodeId, state, rejections }) => {
    const reasons = rejections.map((rejection) => `${rejection.type} ${rejectionText(rejection)}`);
    if (reasons.length === 0) reasons.push(state === "pending" ? "it has not answered in time" : "");
    return reasons.map((reason, index) => (index === 0 ? [printable(nodeId), state, reason] : ["", "", reason]));
  });
  return table(["PROXY", "STATE", "REASON"], rows);
}
