import type { FastifyInstance } from "fastify";
import { messageSchema, toJson } from "xds-proto-ts";
import { operations } from "../admin-api/operations.ts";
import type { ProxySummary, SentResource } from "../admin-api/proxies.ts";
import { routes } from "../admin-api/routes.ts";
import type { ResourceRejection } from "../admin-api/writes.ts";
import { didYouMean } from "../model/nearest.ts";
import { proxyState, worstState } from "../proxy-status/proxy-state.ts";
import type { ProxyStatus, StreamStatus, TypeStatus } from "../proxy-status/proxy-status.ts";
import { resourceTypes, type TypeUrl } from "../resources/resource-types.ts";
import { emptySnapshot, type Resource, resourcesOf } from "../resources/snapshot.ts";
import { withoutSecrets } from "../resources/without-secrets.ts";
import type { AdminDeps } from "./admin-deps.ts";
import { requestError, shortened } from "./problem-json.ts";
import { serveOperation } from "./serve-operation.ts";

/** Adds the load that the proxy reports. */
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

const rejectionsByStatus = new WeakMap<TypeStatus, readonly ResourceRejection[]>();

/** Proxies that hold the same resources share one status object, so its rejections are collected only once. */
function rejectionsOf(status: TypeStatus): readonly ResourceRejection[] {
  const rejections =
    rejectionsByStatus.get(status) ??
    status.resources.flatMap(({ name, rejection }) =>
      rejection === undefined ? [] : [{ type: status.shortName, name, ...rejection }],
    );
  rejectionsByStatus.set(status, rejections);
  return rejections;
}

/** The state of each proxy, and the resources that were sent to it. */
export function registerProxies(app: FastifyInstance, deps: AdminDeps): void {
  serveOperation(app, routes.proxies, operations.proxies, async ({ query: { limit, after, ...wanted } }) => {
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
    const next = ids.length > limit ? page.at(-1) : undefined;
    return { revision, items, ...(next === undefined ? {} : { next }) };
  });

  serveOperation(app, routes.proxy, operations.proxy, async ({ params }) => {
    const proxy = await find(deps, params.nodeId);
    return { ...proxy, state: proxyState(proxy) };
  });

  serveOperation(app, routes.proxyConfig, operations.proxyConfig, async ({ params }) => {
    const proxy = await find(deps, params.nodeId);
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
    `Cannot find proxy "${shortened(nodeId)}": it is not connected, and was not recently`,
    { hint },
  );
}
