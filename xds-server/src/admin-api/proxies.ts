import { z } from "zod";
import type { Immutable } from "../model/fields.ts";
import { proxyStates } from "../proxy-status/proxy-state.ts";
import type { ProxyStatus } from "../proxy-status/proxy-status.ts";
import { component, listOf, milliseconds } from "./components.ts";
import { proxyLoad } from "./load.ts";
import { resourceRejection } from "./writes.ts";

export const proxiesQuery = z.strictObject({
  limit: z
    .string()
    .regex(/^([1-9]\d{0,2}|1000)$/, "must be 1 to 1000")
    .transform(Number)
    .default(1000)
    .describe("The maximum number of proxies in the response, 1 to 1000. When absent: 1000."),
  after: z
    .string()
    .optional()
    .describe("Only the proxies after this node id. Give the `next` of the previous response."),
  nodeGroup: z.string().optional().describe("Only the proxies of this node group."),
  state: z.enum(proxyStates).optional().describe("Only the proxies in this state."),
});

export const proxyParams = z.object({ nodeId: z.string().describe("The node id of the proxy, percent-encoded.") });

const syncState = z
  .enum(["synced", "pending", "rejected"])
  .describe(
    "`synced`: the proxy holds the newest version. `pending`: it has not answered the newest version yet. `rejected`: it rejects the newest version.",
  );
const state = z
  .enum(proxyStates)
  .describe("The worst state of any resource, or `disconnected` when the proxy has no open stream.");
const typeStatus = z.object({
  typeUrl: z.string(),
  shortName: z.string().describe("Such as `CDS`."),
  state: syncState,
  resources: z.array(
    z.object({
      name: z.string(),
      state: syncState,
      wanted: z
        .string()
        .exactOptional()
        .describe("The version that the proxy should hold. Absent when the resource does not exist."),
      sent: z.string().exactOptional().describe("The version last sent on this stream. Absent when none was sent."),
      accepted: z
        .string()
        .exactOptional()
        .describe("The version that the proxy last ACKed. Absent when there is none."),
      rejection: resourceRejection
        .omit({ type: true, name: true })
        .exactOptional()
        .describe("Why the proxy rejects the newest version. Absent when it does not."),
    }),
  ),
});
const stream = {
  id: z.int().describe("Unique until the server restarts."),
  peer: z.string().describe("The address of the proxy, such as `127.0.0.1:41234`."),
  variant: z.enum(["sotw", "delta"]).describe("The variant of xDS: state of the world, or delta."),
};
const proxyHead = {
  nodeId: z.string(),
  cluster: z.string().describe("The node cluster. Empty when the proxy sent none."),
  nodeGroup: z.string(),
  version: z
    .string()
    .exactOptional()
    .describe("The version of Envoy, such as `1.40.0`. Absent when the proxy sent none."),
  since: milliseconds.describe(
    "The time at which the newest stream opened or the last one closed, in milliseconds since the epoch.",
  ),
};

export const proxy = component(
  "Proxy",
  z.object({
    ...proxyHead,
    state,
    streams: z
      .array(
        z.object({
          ...stream,
          openedAt: milliseconds.describe("The time at which the stream opened, in milliseconds since the epoch."),
          types: z.array(typeStatus).describe("The resource types that the stream subscribes to."),
        }),
      )
      .describe("The open streams. Empty for a disconnected proxy."),
  }) satisfies z.ZodType<Omit<ProxyStatus, "streams">>,
);

const proxySummary = z.object({
  ...proxyHead,
  state,
  streams: z.int().describe("The number of open streams."),
  types: z
    .array(
      z.object({
        type: z.string().describe("Such as `CDS`."),
        state: syncState,
        resources: z.int().describe("The number of resources, over all streams."),
        rejections: z.array(resourceRejection).describe("The resources of the type that the proxy rejects."),
      }),
    )
    .describe("The resource types that the proxy subscribes to, in push order."),
  load: proxyLoad
    .exactOptional()
    .describe("The load that the proxy reports, over all its clusters. Absent when it reports none."),
});
/** A proxy with the state of each resource type over all its streams. */
export type ProxySummary = Immutable<z.infer<typeof proxySummary>>;

export const proxyList = component(
  "ProxyList",
  listOf(proxySummary).extend({
    next: z
      .string()
      .exactOptional()
      .describe("The `after` of the next request. Absent when there are no more proxies."),
  }),
);

const sentResource = z.object({
  name: z.string(),
  version: z
    .string()
    .exactOptional()
    .describe("The version last sent. Absent when none was sent, or when the resource does not exist."),
  state: syncState,
  resource: z
    .unknown()
    .optional()
    .describe(
      "The resource as proto-JSON, with secrets redacted. Absent when the version last sent is not the newest one: the server keeps only the newest.",
    ),
});
/** One resource as it was sent to a proxy. */
export type SentResource = Immutable<z.infer<typeof sentResource>>;

const sentType = z.object({ type: z.string(), typeUrl: z.string(), resources: z.array(sentResource) });

export const proxyConfig = component(
  "ProxyConfig",
  z.object({
    nodeId: z.string(),
    streams: z
      .array(z.object({ ...stream, types: z.array(sentType) }))
      .describe("The open streams. Empty for a disconnected proxy."),
  }),
);
