import type { Logger } from "pino";
import type { Call, CallHandler, Method } from "../../grpc/call.ts";
import { CallFault } from "../../grpc/status.ts";
import type { Turns } from "../../process/turns.ts";
import { type Answer, isStale, onRequest, onSnapshot, onTime, openStream, type Step } from "../../protocol/stream.ts";
import type { Stream } from "../../protocol/stream-state.ts";
import type { Variant } from "../../protocol/type-stream.ts";
import type { NodeStatus } from "../../proxy-status/node-status.ts";
import type { Node, Place, SnapshotCache } from "../../publishing/snapshot-cache.ts";
import type { ResourceType } from "../../resources/resource-types.ts";
import type { Limits } from "../limits.ts";
import { checkIdentity, type NodeIdentity } from "../node-identity.ts";
import { checkedNode, checkNames } from "./checks.ts";
import { type CountByName, countByName } from "./count-by-name.ts";
import { type FanOut, fanOut } from "./fan-out.ts";
import { RequestReader, type WireRequest } from "./requests.ts";
import { streamState, streamStatus } from "./stream-status.ts";
import { type Form, type ResponseWriter, responseWriter } from "./wire.ts";

export interface DiscoveryDeps {
  readonly cache: SnapshotCache;
  readonly statuses: NodeStatus;
  readonly limits: Limits;
  readonly nodeIdentity: NodeIdentity;
  /** `control_plane.identifier` of every response. */
  readonly identifier: string;
  readonly metrics: DiscoveryMetrics;
  /** The number of the first stream; the next ones count up. */
  readonly firstStream: number;
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** What the streams count. */
export interface DiscoveryMetrics {
  pushed(shortName: string): void;
  nacked(shortName: string): void;
  streams(variant: Variant, change: number): void;
}

const maxNamesLogged = 20;

interface MethodOptions {
  readonly variant: Variant;
  /** The only type that the service serves; absent on an aggregated stream. */
  readonly onlyType: ResourceType | undefined;
}

/** What the streams of all discovery methods share. */
export interface Discovery {
  method(options: MethodOptions): Method;
  close(): void;
}

interface Shared extends DiscoveryDeps {
  readonly publications: FanOut;
  readonly write: ResponseWriter;
  readonly streamsOfNodes: CountByName;
  /** The number of the next stream. */
  readonly nextId: () => number;
}

export function discovery(deps: DiscoveryDeps, turns: Turns): Discovery {
  let lastId = deps.firstStream - 1;
  const nextId = (): number => {
    lastId += 1;
    return lastId;
  };
  const publications = fanOut(deps.cache, turns);
  const write = responseWriter(deps.identifier);
  const shared: Shared = { ...deps, publications, write, streamsOfNodes: countByName(), nextId };
  return {
    method: (options) => (call) => serveStream(call, options, shared),
    close: () => publications.close(),
  };
}

interface Joined {
  readonly node: Node;
  place: Place;
  stream: Stream;
}

/** Joins one gRPC call to one pure stream. All the side effects are here. */
function serveStream(call: Call, { variant, onlyType }: MethodOptions, shared: Shared): CallHandler {
  const { cache, statuses, limits, metrics, now } = shared;
  const id = shared.nextId();
  const openedAt = now();
  const { peer } = call;
  const reader = new RequestReader({ variant, onlyType, maxNames: limits.maxSubscriptions + 1 });
  let joined: Joined | undefined;
  let timer: NodeJS.Timeout | undefined;
  let leave = (): void => {};

  const about = () => ({ stream: id, node: joined?.node.id, peer, variant });

  const take = (step: Step): void => {
    if (joined === undefined) return;
    joined.stream = step.stream;
    for (const response of step.responses) {
      call.send(shared.write(formOf(step.stream), response));
      metrics.pushed(response.type.shortName);
    }
    // A client that leaves responses unread is not read either, or what it asks for would pile up here.
    if (call.isFull) call.pause();
    clearTimeout(timer);
    if (step.wakeAt !== undefined) timer = setTimeout(() => call.run(wake), Math.max(0, step.wakeAt - now()));
    if (step.answer !== undefined) noteAnswer(step.answer);
    if (step.answer !== undefined || step.responses.length > 0) statuses.changed(joined.node.id);
  };
  const noteAnswer = ({ type, nonce, resources, errorDetail }: Answer): void => {
    if (errorDetail === undefined) return;
    metrics.nacked(type.shortName);
    const names = resources.slice(0, maxNamesLogged).map(({ name }) => name);
    const said = { type: type.shortName, nonce, count: resources.length, resources: names, reason: errorDetail };
    shared.log.warn({ ...about(), ...said }, "rejected");
  };

  const join = (node: Node): Joined => {
    if (shared.nodeIdentity === "certificate") checkIdentity(node.id, call.peerCertificate);
    const place = cache.for(node);
    if (place === undefined) {
      throw new CallFault("UNAVAILABLE", "There is nothing to serve: nothing was published yet");
    }
    if (shared.streamsOfNodes.get(node.id) >= limits.maxStreamsPerNode) {
      throw new CallFault("RESOURCE_EXHAUSTED", `Node "${node.id}" has ${limits.maxStreamsPerNode} streams already`);
    }
    const state: Joined = {
      node,
      place,
      stream: openStream(variant, place.snapshot, limits, { knowsTtl: knowsTtl(variant, node) }),
    };
    const uncount = shared.streamsOfNodes.add(node.id);
    const unfollow = shared.publications.follow(() => call.run(() => publish(state)));
    // It is judged by what is published now, though its turn to be told of that may not have come.
    const placeNow = () => cache.for(node, state.place) ?? state.place;
    const closed = statuses.opened({
      node,
      group: () => placeNow().group,
      state: () => streamState(state.stream.types, placeNow().snapshot),
      describe: () => streamStatus({ ...state.stream, snapshot: placeNow().snapshot }, { id, peer, openedAt }),
    });
    leave = () => {
      unfollow();
      uncount();
      closed();
    };
    return state;
  };

  const publish = (state: Joined): void => {
    const place = cache.for(state.node, state.place);
    if (place === undefined) return;
    const isNews = place.snapshot !== state.place.snapshot;
    state.place = place;
    if (isNews) take(onSnapshot(state.stream, place.snapshot, now()));
  };

  const receive = (bytes: Buffer): (() => void) => {
    const request = reader.read(bytes);
    return () => answer(request);
  };
  const answer = (request: WireRequest): void => {
    if (joined === undefined) {
      joined = join(checkedNode(request.node, limits));
      // Not at a level that is on by default: it would be the larger part of what a stream's beginning costs.
      shared.log.debug({ ...about(), group: joined.place.group }, "joined");
    }
    const { stream } = joined;
    checkNames(request, stream, limits);
    if (!isStale(stream, request)) reader.taken();
    const { type, responseNonce, names } = request;
    const errorDetail = request.errorDetail?.slice(0, limits.maxReasonLength);
    take(
      onRequest(stream, { type, responseNonce, names, ...(errorDetail === undefined ? {} : { errorDetail }) }, now()),
    );
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

/**
 * State of the world can say a time to live only in a wrapper that a client must know too. Envoy knows both and, seen
 * in 1.40, says neither.
 */
function knowsTtl(variant: Variant, { agent, features = [] }: Node): boolean {
  const needed = ["xds.config.supports-resource-ttl", ...(variant === "sotw" ? ["xds.config.resource-in-sotw"] : [])];
  return agent === "envoy" || needed.every((feature) => features.includes(feature));
}

const formOf = ({ variant, knowsTtl }: Stream): Form => (knowsTtl ? `${variant} with ttl` : variant);
