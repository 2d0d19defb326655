import type { Resource, ResourceSet } from "../resources/snapshot.ts";
import { memo, memo2 } from "./memo.ts";
import { knownAs, sendsFullState, type TypeStream } from "./type-stream.ts";
import { keptResources, nextResponse, type Update } from "./update-due.ts";

/**
 * Heartbeats for resources with a time to live: a client drops those of which it hears nothing more.
 * https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#ttl
 */
const withTtl = memo((set: ResourceSet): readonly Resource[] =>
  [...set.values()].filter(({ ttlMs }) => ttlMs !== undefined),
);

/** What a client holds in its newest version, and would drop. */
const heldWithTtl = memo2((stream: TypeStream, available: ResourceSet): readonly Resource[] =>
  withTtl(available).filter((resource) =>
    knownAs(stream, resource).some((name) => stream.held.get(name)?.sent === resource.version),
  ),
);

/** How long after a heartbeat the next one is due, in milliseconds; undefined when the client holds nothing that needs one. */
export function heartbeatIntervalMs(stream: TypeStream, available: ResourceSet): number | undefined {
  if (withTtl(available).length === 0) return undefined;
  const held = heldWithTtl(stream, available);
  return held.length === 0 ? undefined : Math.min(...held.map(({ ttlMs = 0 }) => ttlMs)) / 2;
}

/** A response that changes nothing. Where it has to name all that stays, it says that in full. */
export const heartbeat = memo2((stream: TypeStream, available: ResourceSet): Update => {
  const repeats = sendsFullState(stream);
  return {
    ...nextResponse(stream, available),
    changed: [],
    kept: repeats ? keptResources(stream, available, new Set()) : [],
    alive: repeats ? [] : heldWithTtl(stream, available),
    removed: [],
    vacant: [],
    gone: [],
    withheld: [...stream.doubtful],
  };
});
