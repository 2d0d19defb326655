import type { Logger } from "pino";
import type { NodeStatus } from "../cache/node-status.ts";
import type { Node, SnapshotCache } from "../cache/snapshot-cache.ts";
import { type Answer, onRequest, onSnapshot, onTime, openStream, type Step, type Stream } from "../protocol/stream.ts";
import type { Variant } from "../protocol/type-stream.ts";
import { type ResourceType, resourceTypeOf, resourceTypes } from "../resources/resource-types.ts";
import type { Call, CallHandler, Method } from "./call.ts";
import type { Limits } from "./limits.ts";
import { CallFault } from "./status.ts";
import { streamStatus } from "./stream-status.ts";
import { readRequest, type WireRequest, writeResponse } from "./wire.ts";

export interface DiscoveryDeps {
  readonly cache: SnapshotCache;
  readonly statuses: NodeStatus;
  readonly limits: Limits;
  /** `control_plane.identifier` of every response. */
  readonly identifier: string;
  readonly metrics: DiscoveryMetrics;
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** What the streams count. */
export interface DiscoveryMetrics {
  pushed(shortName: string): void;
  refused(shortName: string): void;
  streams(variant: Variant, change: 1 | -1): void;
}

const maxNamesLogged = 20;

interface MethodOptions {
  readonly variant: Variant;
  /** The only type that the service serves; absent on an aggregated stream. */
  readonly onlyType: ResourceType | undefined;
  /** The number of the next stream, over all methods. */
  readonly nextId: () => number;
}

/** A discovery method: joins each call to one pure stream. All the side effects are here. */
export function discoveryMethod(options: MethodOptions, deps: DiscoveryDeps): Method {
  return (call) => serveStream(call, options, deps);
}

function serveStream(call: Call, { variant, onlyType, nextId }: MethodOptions, deps: DiscoveryDeps): CallHandler {
  const { cache, statuses, limits, metrics, now } = deps;
  const id = nextId();
  const openedAt = now();
  const { peer } = call;
  let log = deps.log.child({ stream: id, peer, variant });
  let joined: { readonly node: Node; group: string; stream: Stream } | undefined;
  let timer: NodeJS.Timeout | undefined;
  let leave = (): void => {};

  const take = (step: Step): void => {
    if (joined === undefined) return;
    joined.stream = step.stream;
    for (const response of step.responses) {
      call.send(writeResponse(variant, response, deps.identifier));
      metrics.pushed(response.type.shortName);
    }
    // A client that leaves responses unread is not read either, or what it asks for would pile up here.
    if (call.isFull) call.pause();
    clearTimeout(timer);
    if (step.wakeAt !== undefined) timer = setTimeout(() => call.run(wake), Math.max(0, step.wakeAt - now()));
    if (step.answer !== undefined) noteAnswer(step.answer);
    if (step.answer !== undefined || step.responses.length > 0) statuses.changed(joined.node.id);
  };
  const noteAnswer = ({ type, nonce, resources, refusal }: Answer): void => {
    if (refusal === undefined) return;
    metrics.refused(type.shortName);
    const names = resources.slice(0, maxNamesLogged).map(({ name }) => name);
    log.warn({ type: type.shortName, nonce, count: resources.length, resources: names, reason: refusal }, "refused");
  };

  const join = (node: Node | undefined): NonNullable<typeof joined> => {
    if (node === undefined || node.id === "") {
      throw new CallFault("INVALID_ARGUMENT", "The first request of a stream must carry a node with an id");
    }
    if (node.id.length > limits.maxNameLength || node.cluster.length > limits.maxNameLength) {
      throw new CallFault("INVALID_ARGUMENT", `node.id or node.cluster is over ${limits.maxNameLength} characters`);
    }
    if (JSON.stringify(node).length > limits.maxNodeLength) {
      throw new CallFault("INVALID_ARGUMENT", `The node is described in over ${limits.maxNodeLength} characters`);
    }
    const place = cache.for(node);
    if (place === undefined) {
      throw new CallFault("UNAVAILABLE", "There is nothing to serve: nothing was published yet");
    }
    const { group, snapshot } = place;
    const state = { node, group, stream: openStream(variant, snapshot, limits) };
    log = log.child({ node: node.id });
    const unwatch = cache.watch(() =>
      call.run(() => {
        const place = cache.for(node);
        if (place === undefined) return;
        state.group = place.group;
        take(onSnapshot(state.stream, place.snapshot, now()));
      }),
    );
    joined = state;
    const closed = statuses.opened({
      node,
      group: () => state.group,
      describe: () => streamStatus(state.stream, { id, peer, openedAt }),
    });
    leave = () => {
      unwatch();
      closed();
    };
    log.info({ group }, "joined");
    return state;
  };

  const receive = (bytes: Buffer): void => {
    const request = decoded(variant, bytes);
    const { stream } = joined ?? join(request.node);
    const type = typeOf(request, onlyType);
    checkNames(request, { type, stream, limits });
    const { responseNonce, names } = request;
    const refusal = request.refusal?.slice(0, limits.maxReasonLength);
    take(onRequest(stream, { type, responseNonce, names, ...(refusal === undefined ? {} : { refusal }) }, now()));
  };

  const wake = (): void => {
    if (joined !== undefined) take(onTime(joined.stream, now()));
  };

  metrics.streams(variant, 1);
  return {
    onMessage: receive,
    onDrain: () => call.resume(),
    onHalfClose: () => call.end(),
    onClose() {
      clearTimeout(timer);
      leave();
      joined = undefined;
      metrics.streams(variant, -1);
    },
  };
}

function decoded(variant: Variant, bytes: Buffer): WireRequest {
  try {
    return readRequest(variant, bytes);
  } catch {
    throw new CallFault("INVALID_ARGUMENT", "The request is not a discovery request that can be decoded");
  }
}

function typeOf({ typeUrl }: WireRequest, onlyType: ResourceType | undefined): ResourceType {
  if (onlyType !== undefined) {
    if (typeUrl === "" || typeUrl === onlyType.typeUrl) return onlyType;
    throw new CallFault("INVALID_ARGUMENT", `This service serves ${onlyType.typeUrl} only`);
  }
  const type = resourceTypeOf(typeUrl);
  if (type !== undefined) return type;
  const known = resourceTypes.map(({ shortName }) => shortName).join(", ");
  const shown = typeUrl.length > 200 ? `${typeUrl.slice(0, 200)}...` : typeUrl;
  throw new CallFault("INVALID_ARGUMENT", `Type URL "${shown}" is not served here; served are ${known}`);
}

function checkNames(
  { names }: WireRequest,
  { type, stream, limits }: { type: ResourceType; stream: Stream; limits: Limits },
): void {
  const said = "list" in names ? names.list : [...names.added, ...names.removed, ...names.initialVersions.keys()];
  if (said.some((name) => name.length > limits.maxNameLength)) {
    throw new CallFault("INVALID_ARGUMENT", `A resource name is over ${limits.maxNameLength} characters`);
  }
  // State of the world gives the whole list of its type each time; delta adds to what the client named before.
  const known = "list" in names ? undefined : stream.types.get(type.typeUrl)?.subscription.names;
  const ofThisType = new Set(said);
  let subscribed = (known?.size ?? 0) + [...ofThisType].filter((name) => !known?.has(name)).length;
  for (const other of stream.types.values()) if (other.type !== type) subscribed += other.subscription.names.size;
  if (subscribed > limits.maxSubscriptions) {
    throw new CallFault("RESOURCE_EXHAUSTED", `The stream asks for over ${limits.maxSubscriptions} names`);
  }
}
