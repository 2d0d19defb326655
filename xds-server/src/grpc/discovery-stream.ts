import { type ServerDuplexStream, status } from "@grpc/grpc-js";
import type { Logger } from "pino";
import type { NodeStatus } from "../cache/node-status.ts";
import type { Node, SnapshotCache } from "../cache/snapshot-cache.ts";
import { type Answer, onRequest, onSnapshot, onTime, openStream, type Step, type Stream } from "../protocol/stream.ts";
import type { Variant } from "../protocol/type-stream.ts";
import { type ResourceType, resourceTypeOf, resourceTypes } from "../resources/resource-types.ts";
import type { Limits } from "./limits.ts";
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

export type DiscoveryCall = ServerDuplexStream<Buffer, Buffer>;

/** Why a stream is ended; its message goes to the client. */
class StreamFault extends Error {
  readonly code: status;

  constructor(code: status, message: string) {
    super(message);
    this.code = code;
  }
}

interface ServeOptions {
  readonly id: number;
  readonly variant: Variant;
  /** The only type that the service serves; absent on an aggregated stream. */
  readonly onlyType: ResourceType | undefined;
}

/** Joins one gRPC call to one pure stream. All the side effects are here. */
export function serveStream(call: DiscoveryCall, { id, variant, onlyType }: ServeOptions, deps: DiscoveryDeps): void {
  const { cache, statuses, limits, metrics, now } = deps;
  const openedAt = now();
  const peer = call.getPeer();
  let log = deps.log.child({ stream: id, peer, variant });
  let joined: { readonly node: Node; group: string; stream: Stream } | undefined;
  let timer: NodeJS.Timeout | undefined;
  let leave = (): void => {};

  const take = (step: Step): void => {
    if (joined === undefined) return;
    joined.stream = step.stream;
    for (const response of step.responses) {
      call.write(writeResponse(variant, response, deps.identifier));
      metrics.pushed(response.type.shortName);
    }
    clearTimeout(timer);
    if (step.wakeAt !== undefined) timer = setTimeout(wake, Math.max(0, step.wakeAt - now()));
    if (step.answer !== undefined) noteAnswer(step.answer);
    if (step.answer !== undefined || step.responses.length > 0) statuses.changed(joined.node.id);
  };
  const wake = (): void => {
    if (joined !== undefined) take(onTime(joined.stream, now()));
  };
  const noteAnswer = ({ type, nonce, resources, refusal }: Answer): void => {
    if (refusal === undefined) return;
    metrics.refused(type.shortName);
    log.warn({ type: type.shortName, nonce, resources: resources.map(({ name }) => name), reason: refusal }, "refused");
  };

  const join = (node: Node | undefined): NonNullable<typeof joined> => {
    if (node === undefined || node.id === "") {
      throw new StreamFault(status.INVALID_ARGUMENT, "The first request of a stream must carry a node with an id");
    }
    if (node.id.length > limits.maxNameLength || node.cluster.length > limits.maxNameLength) {
      throw new StreamFault(
        status.INVALID_ARGUMENT,
        `node.id or node.cluster is over ${limits.maxNameLength} characters`,
      );
    }
    const { group, snapshot } = cache.for(node);
    const state = { node, group, stream: openStream(variant, snapshot, limits) };
    log = log.child({ node: node.id });
    const unwatch = cache.watch(() => {
      const { group, snapshot } = cache.for(node);
      state.group = group;
      take(onSnapshot(state.stream, snapshot, now()));
    });
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
    checkNames(request, stream, limits);
    const { responseNonce, refusal, names } = request;
    take(onRequest(stream, { type, responseNonce, names, ...(refusal === undefined ? {} : { refusal }) }, now()));
  };

  const end = (): void => {
    clearTimeout(timer);
    leave();
    leave = () => {};
    joined = undefined;
  };
  metrics.streams(variant, 1);
  call.on("data", (bytes: Buffer) => {
    try {
      receive(bytes);
    } catch (error) {
      end();
      if (!(error instanceof StreamFault)) log.error({ err: error }, "stream failed");
      const fault =
        error instanceof StreamFault ? error : new StreamFault(status.INTERNAL, "The server failed; its log says more");
      log.warn({ code: status[fault.code], reason: fault.message }, "ended");
      call.emit("error", { code: fault.code, details: fault.message });
    }
  });
  call.on("end", () => {
    end();
    call.end();
  });
  call.on("error", end);
  call.on("cancelled", end);
  call.once("close", () => {
    end();
    metrics.streams(variant, -1);
  });
}

function decoded(variant: Variant, bytes: Buffer): WireRequest {
  try {
    return readRequest(variant, bytes);
  } catch {
    throw new StreamFault(status.INVALID_ARGUMENT, "The request is not a discovery request that can be decoded");
  }
}

function typeOf({ typeUrl }: WireRequest, onlyType: ResourceType | undefined): ResourceType {
  if (onlyType !== undefined) {
    if (typeUrl === "" || typeUrl === onlyType.typeUrl) return onlyType;
    throw new StreamFault(status.INVALID_ARGUMENT, `This service serves ${onlyType.typeUrl} only`);
  }
  const type = resourceTypeOf(typeUrl);
  if (type !== undefined) return type;
  const known = resourceTypes.map(({ shortName }) => shortName).join(", ");
  const shown = typeUrl.length > 200 ? `${typeUrl.slice(0, 200)}...` : typeUrl;
  throw new StreamFault(status.INVALID_ARGUMENT, `Type URL "${shown}" is not served here; served are ${known}`);
}

function checkNames({ names }: WireRequest, stream: Stream, limits: Limits): void {
  const asked = "list" in names ? names.list : [...names.added, ...names.initialVersions.keys()];
  if (asked.some((name) => name.length > limits.maxNameLength)) {
    throw new StreamFault(status.INVALID_ARGUMENT, `A resource name is over ${limits.maxNameLength} characters`);
  }
  let subscribed = asked.length;
  for (const { subscription } of stream.types.values()) subscribed += subscription.names.size;
  if (subscribed > limits.maxSubscriptions) {
    throw new StreamFault(status.RESOURCE_EXHAUSTED, `The stream asks for over ${limits.maxSubscriptions} names`);
  }
}
