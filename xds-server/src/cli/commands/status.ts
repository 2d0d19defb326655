import { setTimeout as pause } from "node:timers/promises";
import type { Command } from "commander";
import type { ProxySummary } from "../../admin-api/proxies.ts";
import { type AdminOptions, adminCommand, run } from "../admin-command.ts";
import type { AdminClient } from "../client.ts";
import { exitCodes } from "../exit-codes.ts";
import { rejectionText } from "../rejection-text.ts";
import { print, printable, printJson, table } from "../terminal.ts";
import { filtersTable } from "./filter-list.ts";

interface StatusOptions extends AdminOptions {
  readonly watch?: boolean;
  readonly nodeGroup?: string;
}

const watchEveryMs = 1_000;

export function statusCommand(): Command {
  return adminCommand(
    "status",
    "show the state of each proxy by resource type, with the reasons of its rejections, and the filters",
  )
    .option("-w, --watch", "show the status again every second, until interrupted")
    .option("--node-group <name>", "show only the proxies of this node group")
    .addHelpText("after", "\nExample:\n  chancery status --watch")
    .action(
      run<StatusOptions>(async (client, options) => {
        await show(client, options);
        while (options.watch) {
          await pause(watchEveryMs);
          await show(client, options);
        }
        return exitCodes.done;
      }),
    );
}

async function show(client: AdminClient, { output, watch, nodeGroup }: StatusOptions): Promise<void> {
  const body = await allProxies(client, nodeGroup);
  const filters = (await client.send("filterStatuses", {})).body.items;
  if (output === "json") return printJson({ ...body, filters });
  // On a terminal, the new status replaces the old one. In a file, it follows below.
  if (watch && process.stdout.isTTY) process.stdout.write("\x1b[H\x1b[2J\x1b[3J");
  print(statusText(body));
  if (filters.length > 0) print(`\n${filtersTable(filters)}`);
}

/** Reads all pages of the list of proxies. The revision is that of the last page. */
async function allProxies(client: AdminClient, nodeGroup: string | undefined): Promise<AllProxies> {
  const items: ProxySummary[] = [];
  for (let after: string | undefined; ; ) {
    const { body } = await client.send("proxies", { query: { nodeGroup, after } });
    items.push(...body.items);
    if (body.next === undefined) return { revision: body.revision, items };
    after = body.next;
  }
}

interface AllProxies {
  readonly revision: number;
  readonly items: readonly ProxySummary[];
}

function statusText({ revision, items }: AllProxies): string {
  const head = `Revision ${revision}, ${items.length === 1 ? "1 proxy" : `${items.length} proxies`}`;
  if (items.length === 0) return `${head}. A proxy appears here once it has connected to the xDS address.`;
  const headings = ["PROXY", "GROUP", "ENVOY", "TYPE", "STATE", "RESOURCES", "REASON"];
  return `${head}\n${table(headings, items.flatMap(proxyRows))}`;
}

function proxyRows(proxy: ProxySummary): readonly (readonly string[])[] {
  const { nodeId, nodeGroup, version = "", state, since, types } = proxy;
  const who = [printable(nodeId), printable(nodeGroup), printable(version)];
  if (state === "disconnected") return [[...who, "", state, "", `since ${new Date(since).toISOString()}`]];
  if (types.length === 0)
    return [[...who, "", "pending", "", "it is connected, but has not subscribed to anything yet"]];
  const lines = types.flatMap(({ type, state: typeState, resources, rejections }) => {
    const [reason = "", ...others] = rejections.map(rejectionText);
    return [[type, typeState, String(resources), reason], ...others.map((other) => ["", "", "", other])];
  });
  return lines.map((line, index) => [...(index === 0 ? who : ["", "", ""]), ...line]);
}
