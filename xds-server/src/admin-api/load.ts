import { z } from "zod";
import type { ProxyLoad, ClusterLoad as ReportedClusterLoad } from "../load/load-reports.ts";
import type { Immutable } from "../model/fields.ts";
import { component, milliseconds } from "./components.ts";

export const loadQuery = z.strictObject({
  nodeId: z
    .string()
    .optional()
    .describe("Only the load that this proxy reports. When absent: the load of all proxies."),
  cluster: z.string().optional().describe("Only this cluster. When absent: all clusters."),
  detail: z
    .enum(["cluster", "locality", "endpoint"])
    .default("cluster")
    .describe("The finest places to list. When absent: clusters only."),
});

const requests = {
  issued: z.int().describe("Requests sent to endpoints."),
  succeeded: z.int().describe("Requests answered without a server error."),
  failed: z.int().describe("Requests answered with a server error, or not answered at all."),
  inProgress: z.int().describe("Requests not answered at the end of the last interval."),
  perSecond: z.number().describe("Requests sent per second in the last interval."),
};
const load = {
  ...requests,
  metrics: z
    .array(
      z.object({
        name: z.string(),
        count: z.int().describe("The number of responses that carried the metric."),
        total: z.number().describe("The sum of its values."),
      }),
    )
    .exactOptional()
    .describe("The metrics that endpoints report in their responses (ORCA). Absent when none were reported."),
};
const dropped = z
  .int()
  .describe("Requests that the proxies dropped by a drop policy, or over a circuit breaker's limit.");

export const proxyLoad = z.object({
  clusters: z.int().describe("The number of clusters that the proxy reports."),
  ...requests,
  dropped,
  reportedAt: milliseconds.describe("The time of the last report, in milliseconds since the epoch."),
}) satisfies z.ZodType<ProxyLoad>;

const clusterLoad = z.object({
  cluster: z.string(),
  proxies: z.int().describe("The number of proxies that report the cluster."),
  ...load,
  dropped,
  localities: z
    .array(
      z.object({
        region: z.string().describe("Empty when the locality has none."),
        zone: z.string().describe("Empty when the locality has none."),
        subZone: z.string().describe("Empty when the locality has none."),
        priority: z.int().describe("0 is the highest priority."),
        ...load,
        endpoints: z
          .array(z.object({ address: z.string().describe("Such as `10.0.0.7:8080`, or the path of a pipe."), ...load }))
          .describe("Empty unless `detail` is `endpoint`."),
      }),
    )
    .describe("Empty unless `detail` asks for localities or endpoints."),
}) satisfies z.ZodType<ReportedClusterLoad>;
/** The requests to one cluster, its localities and its endpoints, as the proxies report them. */
export type ClusterLoad = Immutable<z.infer<typeof clusterLoad>>;

export const loadList = component(
  "LoadList",
  z.object({
    items: z.array(clusterLoad),
    omitted: z
      .int()
      .describe(
        "How often a cluster, locality or endpoint was reported but not kept, because of the limits `maxLoadPlaces` and `maxLoadPlacesPerProxy`.",
      ),
  }),
);
export type LoadList = Immutable<z.infer<typeof loadList>>;
