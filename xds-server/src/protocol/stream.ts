import { type ResourceType, resourceTypes } from "../resources/resource-types.ts";
import type { Resource, Snapshot, Version } from "../resources/snapshot.ts";
import { accepted, type Blame, blamed, rejected } from "./answers.ts";
import { heartbeat, heartbeatIntervalMs } from "./heartbeat.ts";
import { LayeredMap } from "./layered-map.ts";
import { memo, memo2 } from "./memo.ts";
import {
  additionsAllowedAt,
  always,
  availableTo,
  awaitedBy,
  deletionsAllowedAt,
  never,
  rewarms,
} from "./push-order.ts";
import { heldVersions, resubscribed, resumed } from "./resubscribed.ts";
import type { Rejection, Stream, StreamLimits, TypeStreams } from "./stream-state.ts";
import { amended, replaced } from "./subscription.ts";
import { compared, rewarmed, sent } from "./transitions.ts";
import { knownAs, newTypeStream, rejectionKey, rejects, type TypeStream, type Variant } from "./type-stream.ts";
import { type Update, updateDue } from "./update-due.ts";

/** A request, decoded. */
export interface Request {
  readonly type: ResourceType;
  /** Empty in a client's first request of a type. */
  readonly responseNonce: string;
  /** Why the client rejects the response that the nonce names. Absent in an ACK. */
  readonly errorDetail?: string;
  /** "unchanged": the same names as in the type's last request on this stream; in delta, no name added or removed. */
  readonly names: SotwNames | DeltaNames | "unchanged";
}

export interface SotwNames {
  readonly list: readonly string[];
  /** True when the request names a version that the client holds. Only read in the first request of a type. */
  readonly resumes: boolean;
}

export interface DeltaNames {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** The versions that the client holds from an earlier stream. Only read in the first request of a type. */
  readonly initialVersions: ReadonlyMap<string, Version>;
}

/** All streams that are due the same response share one object, so that it is encoded once. */
export interface Response {
  readonly type: ResourceType;
  readonly nonce: string;
  /** The version of the set of all resources of the type. */
  readonly version: Version;
  readonly update: Update;
}

/** A client's ACK or NACK of a response. */
export interface Answer {
  readonly type: ResourceType;
  readonly nonce: string;
  /** The accepted resources. In a NACK, the rejected ones that its error detail names, or all when it names none. */
  readonly resources: readonly Resource[];
  /** Absent in an ACK. */
  readonly errorDetail?: string;
}

export interface Step {
  readonly stream: Stream;
  readonly responses: readonly Response[];
  readonly answer?: Answer;
  /** When to call `onTime`, in milliseconds since the epoch. Absent when nothing waits for a time. */
  readonly wakeAt?: number;
}

export function openStream(
  variant: Variant,
  snapshot: Snapshot,
  limits: StreamLimits,
  { knowsTtl } = { knowsTtl: false },
): Stream {
  return {
    variant,
    snapshot,
    types: noTypes,
    sentAt: new Map(),
    heartbeatAt: new Map(),
    knowsTtl,
    rejections: LayeredMap.of(),
    limits,
  };
}

const noTypes: TypeStreams = new Map();

/** The step on a newer snapshot, or on the snapshot of another node group after the proxy moved to it. */
export function onSnapshot(stream: Stream, snapshot: Snapshot, now: number): Step {
  return respond({ ...stream, snapshot }, now);
}

/** The step at the time that `wakeAt` gave. */
export function onTime(stream: Stream, now: number): Step {
  return respond(stream, now);
}

export function onRequest(stream: Stream, request: Request, now: number): Step {
  if (isStale(stream, request)) return respond(stream, now);
  const { type, responseNonce, errorDetail } = request;
  const known = stream.types.get(type.typeUrl);
  const before = known ?? newTypeStream(type, stream.variant);
  const subscribedAfter = (settled: TypeStream): TypeStream =>
    subscribed(stream, settled, { ...request, first: known === undefined });
  if (before.inFlight?.nonce !== responseNonce) return respond(withType(stream, subscribedAfter(before)), now);
  const { changed } = before.inFlight;
  if (errorDetail === undefined) {
    const step = respond(withType(stream, subscribedAfter(accepted(before))), now);
    return { ...step, answer: { type, nonce: responseNonce, resources: changed } };
  }
  const blame = blamed(before, errorDetail);
  const { resources } = blame;
  const settled = rejected(before, blame, stream.limits.maxRejections);
  const withReason = withRejections(stream, before, blame, { reason: errorDetail, at: now });
  const step = respond(withType(withReason, subscribedAfter(settled)), now);
  return { ...step, answer: { type, nonce: responseNonce, resources, errorDetail } };
}

/**
 * True for a state-of-the-world request without the nonce of the last response. Such a request is ignored: the client sends
 * another one after it gets the last response. In delta, the names of a request count whatever its nonce.
 */
export function isStale(
  { variant, types }: Stream,
  { type, responseNonce }: Pick<Request, "type" | "responseNonce">,
): boolean {
  const known = types.get(type.typeUrl);
  return variant === "sotw" && known !== undefined && responseNonce !== known.lastNonce;
}

/** Why a client rejected a version of a resource, or undefined when it did not. */
export function rejectionOf(stream: Stream, type: TypeStream, name: string, version: Version): Rejection | undefined {
  return rejects(type, name, version) ? stream.rejections.get(rejectionId(type, name, version)) : undefined;
}

const rejectionId = ({ type }: TypeStream, name: string, version: Version): string =>
  `${type.typeUrl} ${rejectionKey(name, version)}`;

function withRejections(
  stream: Stream,
  type: TypeStream,
  { resources, isNamed }: Blame,
  details: Pick<Rejection, "reason" | "at">,
): Stream {
  const suspects = isNamed || resources.length === 1 ? {} : { suspects: resources.length };
  const entries = resources.flatMap((resource) =>
    knownAs(type, resource).map((name): [string, Rejection] => {
      const { version } = resource;
      return [rejectionId(type, name, version), { version, ...details, ...suspects }];
    }),
  );
  const rejections = stream.rejections.with(entries);
  const tooMany = rejections.size - stream.limits.maxRejections * resourceTypes.length;
  const oldest = tooMany > 0 ? [...rejections.keys()].slice(0, tooMany) : [];
  return { ...stream, rejections: rejections.with(oldest.map((id) => [id, undefined])) };
}

function subscribed(
  stream: Stream,
  before: TypeStream,
  { names, first }: { names: Request["names"]; first: boolean },
): TypeStream {
  if (names === "unchanged") return before;
  if ("list" in names) {
    const after = resubscribed(before, replaced(before.subscription, names.list));
    return first && names.resumes ? resumedSotw(after) : after;
  }
  const { added, removed, initialVersions } = names;
  const mayBeWildcard = first && !before.type.hasAliases;
  const after = resubscribed(before, amended(before.subscription, { added, removed, first: mayBeWildcard }), names);
  return first ? resumed(after, heldVersions(initialVersions), availableTo(stream, before.type.typeUrl)) : after;
}

const resumedSotw = memo((stream: TypeStream): TypeStream => ({ ...stream, mayHoldEarlier: true }));

/** Sends what is due. A step that does not depend on the time is computed once for all streams in the same state. */
function respond(start: Stream, now: number): Step {
  const outcomes = knownOutcomes[start.knowsTtl ? "ttl" : "noTtl"](start.types);
  const known = start.heartbeatAt.size === 0 ? outcomes.get(start.snapshot) : undefined;
  if (known !== undefined) return { stream: withOutcome(start, known, now), responses: known.responses };
  const { isTimeIndependent, ...step } = stepped(start, now);
  if (isTimeIndependent) outcomes.set(start.snapshot, { types: step.stream.types, responses: step.responses });
  return step;
}

interface Outcome {
  readonly types: TypeStreams;
  readonly responses: readonly Response[];
}

/** What a step gave, by the state before it and the snapshot. */
const knownOutcomes = {
  ttl: memo((_types: TypeStreams) => new WeakMap<Snapshot, Outcome>()),
  noTtl: memo((_types: TypeStreams) => new WeakMap<Snapshot, Outcome>()),
};

function withOutcome(stream: Stream, { types, responses }: Outcome, now: number): Stream {
  if (responses.length === 0) return types === stream.types ? stream : { ...stream, types };
  const sentAt = new Map(stream.sentAt);
  for (const { type } of responses) sentAt.set(type.typeUrl, now);
  return { ...stream, types, sentAt };
}

/** Sends what is due, type by type in push order, and finds the next time to wake up. */
function stepped(start: Stream, now: number): Step & { readonly isTimeIndependent: boolean } {
  let dependsOnTime = start.heartbeatAt.size > 0;
  const responses: Response[] = [];
  let stream = start;
  let wakeAt: number | undefined;
  const waitUntil = (time: number) => {
    wakeAt = Math.min(wakeAt ?? time, time);
  };
  const send = (update: Update): void => {
    responses.push(responseWith(update));
    stream = withHeartbeat(withType(stream, sent(update, awaitedBy(update, stream.snapshot)), now), update, now);
    for (const [typeUrl, names] of rewarms(update)) {
      const waiting = stream.types.get(typeUrl);
      if (waiting !== undefined) stream = withType(stream, rewarmed(waiting, names));
    }
  };
  for (const type of resourceTypes) {
    const before = stream.types.get(type.typeUrl);
    if (before === undefined || before.inFlight !== undefined) continue;
    const available = availableTo(stream, type.typeUrl);
    const readyAt = additionsAllowedAt(stream, type, now);
    dependsOnTime ||= readyAt !== always;
    if (readyAt > now) {
      waitUntil(readyAt);
      continue;
    }
    const deletableAt = deletionsAllowedAt(stream, before, available);
    dependsOnTime ||= deletableAt !== always && deletableAt !== never;
    const update = updateDue(before, available, { deletions: deletableAt <= now });
    if (update === undefined) {
      const after = compared(before, available);
      stream = withType(stream, after);
      const isHeartbeatDue = (stream.heartbeatAt.get(type.typeUrl) ?? Number.POSITIVE_INFINITY) <= now;
      if (isHeartbeatDue && heartbeatIntervalMs(after, available) !== undefined) send(heartbeat(after, available));
      else if (isHeartbeatDue) stream = withoutHeartbeat(stream, type);
      continue;
    }
    send(update);
  }
  // What waits depends on the responses in flight, so this comes after all of them are sent.
  for (const typeStream of stream.types.values()) {
    if (typeStream.inFlight !== undefined) continue;
    const deletableAt = deletionsAllowedAt(stream, typeStream, availableTo(stream, typeStream.type.typeUrl));
    if (deletableAt > now && deletableAt !== never) waitUntil(deletableAt);
    const heartbeatAt = stream.heartbeatAt.get(typeStream.type.typeUrl);
    if (heartbeatAt !== undefined) waitUntil(heartbeatAt);
  }
  const isTimeIndependent = !dependsOnTime && wakeAt === undefined && stream.heartbeatAt === start.heartbeatAt;
  return { stream, responses, isTimeIndependent, ...(wakeAt === undefined ? {} : { wakeAt }) };
}

/**
 * Sets the time of the next heartbeat after a response. The interval starts again if the response renews all resources
 * that need it. Otherwise a heartbeat that is already due earlier stays due then.
 */
function withHeartbeat(stream: Stream, { stream: { type }, available, alive, kept }: Update, now: number): Stream {
  if (!stream.knowsTtl) return stream;
  const { typeUrl } = type;
  const after = stream.types.get(typeUrl);
  const intervalMs = after && heartbeatIntervalMs(after, available);
  const wasDue = stream.heartbeatAt.get(typeUrl);
  if (intervalMs === undefined) return wasDue === undefined ? stream : withoutHeartbeat(stream, type);
  const renewsAll = alive.length > 0 || kept.length > 0 || wasDue === undefined;
  const dueAt = renewsAll ? now + intervalMs : Math.min(wasDue, now + intervalMs);
  return { ...stream, heartbeatAt: new Map(stream.heartbeatAt).set(typeUrl, dueAt) };
}

function withoutHeartbeat(stream: Stream, { typeUrl }: ResourceType): Stream {
  const heartbeatAt = new Map(stream.heartbeatAt);
  heartbeatAt.delete(typeUrl);
  return { ...stream, heartbeatAt };
}

const responseWith = memo((update: Update): Response => {
  const { stream, nonce, version } = update;
  return { type: stream.type, nonce, version, update };
});

function withType(stream: Stream, typeStream: TypeStream, sentAt?: number): Stream {
  const { typeUrl } = typeStream.type;
  const types = stream.types.get(typeUrl) === typeStream ? stream.types : withOne(stream.types, typeStream);
  if (sentAt !== undefined) return { ...stream, types, sentAt: new Map(stream.sentAt).set(typeUrl, sentAt) };
  return types === stream.types ? stream : { ...stream, types };
}

const withOne = memo2(
  (types: TypeStreams, typeStream: TypeStream): TypeStreams => new Map(types).set(typeStream.type.typeUrl, typeStream),
);
