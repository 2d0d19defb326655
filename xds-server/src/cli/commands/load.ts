import type { Command } from "commander";
import type { ClusterLoad, LoadList } from "../../admin-api/load.ts";
import { type AdminOptions, adminCommand, run } from "../admin-command.ts";
import { exitCodes } from "../exit-codes.ts";
import { print, printable, printJson, table } from "../terminal.ts";

interface LoadOptions extends AdminOptions {
  readonly node?: string;
}

export function loadCommand(): Command {
  return adminCommand("load", "show the requests that the proxies report, to each cluster or to the endpoints of one")
    .argument("[cluster]", "show the localities and endpoints of this cluster")
    .option("--node <id>", "show only the load that this proxy reports")
    .addHelpText("after", "\nExamples:\n  chancery load\n  chancery load cart --node edge-1")
    .action(async function (this: Command) {
      const cluster: string | undefined = this.processedArgs[0];
      await run<LoadOptions>(async (client, { output, node: nodeId }) => {
        const detail = cluster === undefined ? "cluster" : "endpoint";
        const { body } = await client.send("load", { query: { nodeId, cluster, detail } });
        if (output === "json") printJson(body);
        else print(loadText(body, cluster));
        return exitCodes.done;
      }).call(this);
    });
}

type Counted = Pick<ClusterLoad, "perSecond" | "inProgress" | "succeeded" | "failed">;

function loadText({ items, omitted }: LoadList, cluster: string | undefined): string {
  const notKept = omitted === 0 ? "" : `\n${omitted} reports of places were not kept; see --limit maxLoadPlaces`;
  if (items.length === 0) {
    const where = cluster === undefined ? "" : ` on "${printable(cluster)}"`;
    return `No load${where} was reported. Envoys report it if their bootstrap has a load_stats_config.${notKept}`;
  }
  const headings = [
    cluster === undefined ? "CLUSTER" : "WHERE",
    "PROXIES",
    "PER SECOND",
    "IN PROGRESS",
    "SUCCEEDED",
    "FAILED",
  ];
  const rows = cluster === undefined ? items.map(clusterRow) : items.flatMap(placeRows);
  return `${table([...headings, "DROPPED"], rows)}${notKept}`;
}

function clusterRow(load: ClusterLoad): readonly string[] {
  return [printable(load.cluster), String(load.proxies), ...counts(load), String(load.dropped)];
}

function placeRows(load: ClusterLoad): readonly (readonly string[])[] {
  const inside = load.localities.flatMap(({ region, zone, subZone, priority, endpoints, ...locality }) => {
    const names = [region, zone, subZone].filter((name) => name !== "").map(printable);
    const where = `${names.join("/") || "(no locality)"}${priority === 0 ? "" : `, priority ${priority}`}`;
    const rows = endpoints.map((endpoint) => [`    ${printable(endpoint.address)}`, "", ...counts(endpoint), ""]);
    return [[`  ${where}`, "", ...counts(locality), ""], ...rows];
  });
  return [clusterRow(load), ...inside];
}

function counts({ perSecond, inProgress, succeeded, failed }: Counted): readonly string[] {
  return [perSecond.toFixed(1), String(inProgress), String(succeeded), String(failed)];
}
