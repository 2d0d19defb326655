import type { FastifyInstance } from "fastify";
import { messageSchema, toJson } from "xds-proto-ts";
import { z } from "zod";
import { didYouMean } from "../model/nearest.ts";
import { proxyState, proxyStates, worstState } from "../proxy-status/proxy-state.ts";
import type { ProxyStatus, StreamStatus, TypeStatus } from "../proxy-status/proxy-status.ts";
import { resourceTypes, type TypeUrl } from "../resources/resource-types.ts";
import { emptySnapshot, type Resource, resourcesOf } from "../resources/snapshot.ts";
import { withoutSecrets } from "../resources/without-secrets.ts";
import type { AdminDeps } from "./admin-deps.ts";
import { answers } from "./answers.ts";
import { operation } from "./operation.ts";
import { requestError, shortened } from "./problem-json.ts";
import { queryOf } from "./query.ts";
import type { ResourceRejection } from "./settled.ts";
import type { ProxySummary, SentResource } from "./summaries.ts";

/** The summary with the load that the proxy reports. */
function withLoad(summary: ProxySummary, { loads }: AdminDeps): ProxySummary {
  const load = loads.proxy(summary.nodeId);
  return load === undefined ? summary : { ...summary, load };
}

export function proxySummary(proxy: ProxyStatus): ProxySummary {
  const types = resourceTypes.flatMap(({ shortName: type }) => {
    const held = proxy.streams.flatMap((stream) => stream.types).filter((each) => each.shortName === type);
    if (held.length === 0) return [];
    const resources = held.reduce((sum, each) => sum + each.resources.length, 0);
    return [
      { type, state: worstState(held.map(({ state }) => state)), resources, rejections: held.flatMap(rejectionsOf) },
    ];
  });
  return { ...proxy, state: proxyState(proxy), streams: proxy.streams.length, types };
}

const known = new WeakMap<TypeStatus, readonly ResourceRejection[]>();

/** Proxies that hold the same share their status, which is looked through once. */
function rejectionsOf(status: TypeStatus): readonly ResourceRejection[] {
  const rejections =
    known.get(status) ??
    status.resources.flatMap(({ name, rejection: said }) =>
      said === undefined ? [] : [{ type: status.shortName, name, ...said }],
    );
  known.set(status, rejections);
  return rejections;
}

const listQuery = z.strictObject({
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

interface Identified {
  readonly Params: { readonly nodeId: string };
}

/** What each connected proxy holds, rejects and was sent. */
export function registerProxies(app: FastifyInstance, deps: AdminDeps): void {
  const tags = ["proxies"];
  const params = z.object({ nodeId: z.string().describe("The proxy's node id") });

  const list = { tags, summary: "List the proxies and what they hold", query: listQuery, answer: answers.proxies };
  app.get("/api/v1/proxies", operation(list), async (request) => {
    const { limit, after, ...wanted } = queryOf(request, listQuery);
    const isAfter = (nodeId: string) => after === undefined || nodeId > after;
    const overviews = (await deps.proxies.overviews()).filter(
      ({ nodeId, nodeGroup, state }) =>
        isAfter(nodeId) && (wanted.nodeGroup ?? nodeGroup) === nodeGroup && (wanted.state ?? state) === state,
    );
    const ids = overviews.map(({ nodeId }) => nodeId).sort();
    const page = ids.slice(0, limit);
    const known = await deps.proxies.some(page);
    const items = [...known.values()].map((proxy) => withLoad(proxySummary(proxy), deps));
    const { revision } = deps.store.get();
    return ids.length > limit ? { revision, items, next: page.at(-1) } : { revision, items };
  });

  const one = { tags, params, summary: "Read one proxy, stream by stream", answer: answers.proxy };
  app.get<Identified>("/api/v1/proxies/:nodeId", operation(one), async (request) => {
    queryOf(request, z.strictObject({}));
    const proxy = await find(deps, request.params.nodeId);
    return { ...proxy, state: proxyState(proxy) };
  });

  const config = { tags, params, summary: "Read what a proxy was sent, secrets redacted", answer: answers.proxyConfig };
  app.get<Identified>("/api/v1/proxies/:nodeId/config", operation(config), async (request) => {
    queryOf(request, z.strictObject({}));
    const proxy = await find(deps, request.params.nodeId);
    const snapshot = deps.snapshots().get(proxy.nodeGroup) ?? emptySnapshot;
    const newest = (typeUrl: TypeUrl, name: string) => resourcesOf(snapshot, typeUrl).get(name);
    return { nodeId: proxy.nodeId, streams: proxy.streams.map((stream) => sentOn(stream, newest)) };
  });
}

function sentOn(
  { id, peer, variant, types }: StreamStatus,
  newest: (typeUrl: TypeUrl, name: string) => Resource | undefined,
) {
  return {
    id,
    peer,
    variant,
    types: types.map(({ typeUrl, shortName, resources }) => ({
      type: shortName,
      typeUrl,
      resources: resources.map(({ name, sent, state }): SentResource => {
        const resource = newest(typeUrl, name);
        const isNewest = resource !== undefined && resource.version === sent;
        return {
          name,
          state,
          ...(sent === undefined ? {} : { version: sent }),
          ...(isNewest ? { resource: readable(resource) } : {}),
        };
      }),
    })),
  };
}

function readable({ typeUrl, body }: Resource): unknown {
  const schema = messageSchema(typeUrl);
  if (schema === undefined) return undefined;
  return toJson(schema, withoutSecrets(schema, body));
}

async function find({ proxies }: AdminDeps, nodeId: string): Promise<ProxyStatus> {
  const proxy = (await proxies.some([nodeId])).get(nodeId);
  if (proxy !== undefined) return proxy;
  const hint = didYouMean(nodeId, await proxies.ids());
  throw requestError(
    404,
    "PROXY_UNKNOWN",
    `Cannot find proxy "${shortened(nodeId)}": it is not connected, nor was it lately`,
    {
      ...(hint === undefined ? {} : { hint }),
    },
  );
}
