import { z } from "zod";
import type { ProxyLoad, ClusterLoad as ReportedClusterLoad } from "../load/load-reports.ts";
import type { Immutable } from "../model/fields.ts";
import { component, milliseconds } from "./components.ts";

export const loadQuery = z.strictObject({
  nodeId: z.string().optional().describe("Only what this proxy reports"),
  cluster: z.string().optional().describe("Only this cluster"),
  detail: z.enum(["cluster", "locality", "endpoint"]).default("cluster").describe("How far to look into each cluster"),
});

const requests = {
  issued: z.int().describe("Requests sent"),
  succeeded: z.int().describe("Answered without a fault of the endpoint"),
  failed: z.int(),
  inProgress: z.int().describe("Not answered at the end of the last interval"),
  perSecond: z.number().describe("Requests sent in each second of the last interval"),
};
const load = {
  ...requests,
  metrics: z
    .array(z.object({ name: z.string(), count: z.int(), total: z.number() }))
    .exactOptional()
    .describe("What endpoints said of themselves (ORCA): in how many answers, and the sum"),
};
const dropped = z.int().describe("Dropped on purpose, by a drop policy or over a limit");

export const proxyLoad = z.object({
  clusters: z.int(),
  ...requests,
  dropped,
  reportedAt: milliseconds,
}) satisfies z.ZodType<ProxyLoad>;

const clusterLoad = z.object({
  cluster: z.string(),
  proxies: z.int().describe("How many proxies reported it"),
  ...load,
  dropped,
  localities: z.array(
    z.object({
      region: z.string(),
      zone: z.string(),
      subZone: z.string(),
      priority: z.int(),
      ...load,
      endpoints: z.array(z.object({ address: z.string(), ...load })),
    }),
  ),
}) satisfies z.ZodType<ReportedClusterLoad>;
/** The requests to one cluster, its localities and its endpoints, as the proxies report them. */
export type ClusterLoad = Immutable<z.infer<typeof clusterLoad>>;

export const loadList = component(
  "LoadList",
  z.object({ items: z.array(clusterLoad), omitted: z.int().describe("Places reported and not kept: too many") }),
);
export type LoadList = Immutable<z.infer<typeof loadList>>;
