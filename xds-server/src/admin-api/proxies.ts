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
    .describe("At most so many, 1 to 1000; 1000 when absent"),
  after: z.string().optional().describe("Only those after this node id: the `next` of the answer before"),
  nodeGroup: z.string().optional().describe("Only the proxies of this node group"),
  state: z.enum(proxyStates).optional().describe("Only the proxies in this state"),
});

export const proxyParams = z.object({ nodeId: z.string().describe("The proxy's node id") });

const syncState = z.enum(["synced", "pending", "rejected"]);
const typeStatus = z.object({
  typeUrl: z.string(),
  shortName: z.string(),
  state: syncState,
  resources: z.array(
    z.object({
      name: z.string(),
      state: syncState,
      wanted: z.string().exactOptional(),
      sent: z.string().exactOptional(),
      accepted: z.string().exactOptional(),
      rejection: resourceRejection.omit({ type: true, name: true }).exactOptional(),
    }),
  ),
});
const stream = { id: z.int(), peer: z.string(), variant: z.enum(["sotw", "delta"]) };
const proxyHead = {
  nodeId: z.string(),
  cluster: z.string(),
  nodeGroup: z.string(),
  version: z.string().exactOptional(),
  since: milliseconds,
};

export const proxy = component(
  "Proxy",
  z.object({
    ...proxyHead,
    state: z.enum(proxyStates),
    streams: z.array(z.object({ ...stream, openedAt: milliseconds, types: z.array(typeStatus) })),
  }) satisfies z.ZodType<Omit<ProxyStatus, "streams">>,
);

const proxySummary = z.object({
  ...proxyHead,
  state: z.enum(proxyStates),
  streams: z.int().describe("How many are open"),
  types: z.array(
    z.object({ type: z.string(), state: syncState, resources: z.int(), rejections: z.array(resourceRejection) }),
  ),
  load: proxyLoad.exactOptional().describe("What the proxy reports of the load behind it, if it does"),
});
/** A proxy with the state of each resource type, over all its streams, in push order. */
export type ProxySummary = Immutable<z.infer<typeof proxySummary>>;

export const proxyList = component(
  "ProxyList",
  listOf(proxySummary).extend({
    next: z.string().exactOptional().describe("There are more: ask again with this as `after`"),
  }),
);

const sentResource = z.object({
  name: z.string(),
  // Absent when the proxy was told that there is no such resource.
  version: z.string().exactOptional(),
  state: syncState,
  // Secrets are redacted. Absent when the version sent is not the newest any more, so no longer kept.
  resource: z.unknown().optional().describe("Envoy's proto-JSON"),
});
/** One resource as a proxy was sent it. */
export type SentResource = Immutable<z.infer<typeof sentResource>>;

const sentType = z.object({ type: z.string(), typeUrl: z.string(), resources: z.array(sentResource) });

export const proxyConfig = component(
  "ProxyConfig",
  z.object({ nodeId: z.string(), streams: z.array(z.object({ ...stream, types: z.array(sentType) })) }),
);
