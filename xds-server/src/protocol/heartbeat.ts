import type { Resource, ResourceSet } from "../resources/snapshot.ts";
import { memo, memo2 } from "./memo.ts";
import { knownAs, sendsFullState, type TypeStream } from "./type-stream.ts";
import { keptResources, nextResponse, type Update } from "./update-due.ts";

/**
 * Resources with a time to live. A client drops them when that time passes, unless a response or a heartbeat renews them.
 * https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#ttl
 */
const withTtl = memo((set: ResourceSet): readonly Resource[] =>
  [...set.values()].filter(({ ttlMs }) => ttlMs !== undefined),
);

/** Resources with a time to live whose newest version was sent to the client. */
const heldWithTtl = memo2((stream: TypeStream, available: ResourceSet): readonly Resource[] =>
  withTtl(available).filter((resource) =>
    knownAs(stream, resource).some((name) => stream.held.get(name)?.sent === resource.version),
  ),
);

/** The time between two heartbeats, in milliseconds: half of the shortest time to live. Undefined when none is needed. */
export function heartbeatIntervalMs(stream: TypeStream, available: ResourceSet): number | undefined {
  if (withTtl(available).length === 0) return undefined;
  const held = heldWithTtl(stream, available);
  return held.length === 0 ? undefined : Math.min(...held.map(({ ttlMs = 0 }) => ttlMs)) / 2;
}

/** A response that renews resources and changes nothing. A full-state response repeats all resources with their content. */
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
    withheld: [...stream.unsettled],
  };
});
