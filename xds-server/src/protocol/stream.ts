import { type ResourceType, resourceTypes, type TypeUrl } from "../resources/resource-types.ts";
import {
  type Resource,
  type ResourceKey,
  type ResourceSet,
  resourcesOf,
  type Snapshot,
  type Version,
} from "../resources/snapshot.ts";
import { amended, replaced } from "./subscription.ts";
import {
  accepted,
  deletedNames,
  hasUnsent,
  keepsRefused,
  newTypeStream,
  refused,
  resubscribed,
  resumed,
  rewarmed,
  sent,
  type TypeStream,
  type Update,
  updateDue,
  type Variant,
} from "./type-stream.ts";

/** One client's stream: a pure state machine. Requests, snapshots and the time go in, responses come out. */
export interface Stream {
  readonly variant: Variant;
  readonly snapshot: Snapshot;
  readonly types: ReadonlyMap<TypeUrl, TypeStream>;
  readonly lastNonce: number;
  /**
   * How long something may wait for another type's answer, in milliseconds: new routes for their clusters, removed
   * clusters for the routes that used them.
   */
  readonly holdLimitMs: number;
  /** The same where the other type has changes that could not even be sent, because its answer is owed, in milliseconds. */
  readonly unsentHoldLimitMs: number;
}

type HoldLimits = Pick<Stream, "holdLimitMs" | "unsentHoldLimitMs">;

/** A request, decoded. */
export interface Request {
  readonly type: ResourceType;
  /** Empty in a client's first request of a type. */
  readonly responseNonce: string;
  /** The client's reason for refusing the response that the nonce names; absent when it accepts. */
  readonly refusal?: string;
  readonly names: SotwNames | DeltaNames;
}

export interface SotwNames {
  readonly list: readonly string[];
  /** True when the request names a version that the client holds. Read in the first request of a type only. */
  readonly resumes: boolean;
}

export interface DeltaNames {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** What the client holds from an earlier stream. Read in the first request of a type only. */
  readonly initialVersions: ReadonlyMap<string, Version>;
}

export interface Response {
  readonly type: ResourceType;
  readonly nonce: string;
  readonly update: Update;
  /** Everything of the type in the snapshot that the update leads to. */
  readonly available: ResourceSet;
}

/** A client's verdict on a response. */
export interface Answer {
  readonly type: ResourceType;
  readonly nonce: string;
  readonly resources: readonly Resource[];
  /** Absent when the client accepted. */
  readonly refusal?: string;
}

export interface Step {
  readonly stream: Stream;
  readonly responses: readonly Response[];
  readonly answer?: Answer;
  /** Milliseconds since the epoch: when to call `onTime`, because something waits until then at the latest. */
  readonly wakeAt?: number;
}

export function openStream(variant: Variant, snapshot: Snapshot, limits: HoldLimits): Stream {
  const { holdLimitMs, unsentHoldLimitMs } = limits;
  return { variant, snapshot, types: new Map(), lastNonce: 0, holdLimitMs, unsentHoldLimitMs };
}

/** A newer snapshot, or that of another node group when the proxy was moved. */
export function onSnapshot(stream: Stream, snapshot: Snapshot, now: number): Step {
  return respond({ ...stream, snapshot }, now);
}

/** A wait came to its limit. */
export function onTime(stream: Stream, now: number): Step {
  return respond(stream, now);
}

export function onRequest(stream: Stream, request: Request, now: number): Step {
  const { type, responseNonce, refusal } = request;
  const known = stream.types.get(type.typeUrl);
  // State of the world: a request that answers an older response speaks of an older state; the next one will follow.
  const stale = "list" in request.names && known !== undefined && responseNonce !== known.lastNonce;
  if (stale) return respond(stream, now);
  const before = known ?? newTypeStream(type, stream.variant);
  const answers = before.inFlight !== undefined && before.inFlight.nonce === responseNonce;
  const settled = answers ? answered(before, refusal, now) : before;
  const step = respond(withType(stream, subscribed(settled, request.names, known === undefined)), now);
  if (!answers) return step;
  const answer: Answer = { type, nonce: responseNonce, resources: before.inFlight.changed };
  return { ...step, answer: refusal === undefined ? answer : { ...answer, refusal } };
}

function answered(stream: TypeStream, refusal: string | undefined, at: number): TypeStream {
  return refusal === undefined ? accepted(stream) : refused(stream, { reason: refusal, at });
}

function subscribed(stream: TypeStream, names: SotwNames | DeltaNames, first: boolean): TypeStream {
  if ("list" in names) {
    const after = resubscribed(stream, replaced(stream.subscription, names.list), []);
    return first && names.resumes ? { ...after, mayHoldEarlier: true } : after;
  }
  const { added, removed, initialVersions } = names;
  const subscription = amended(stream.subscription, { added, removed, first });
  // Under a wildcard, what is no longer named is still wanted: the client asks what has become of it.
  const after = resubscribed(stream, subscription, [...added, ...removed]);
  return first ? resumed(after, initialVersions) : after;
}

/** Sends what is due, type by type in push order. */
function respond(start: Stream, now: number): Step {
  const responses: Response[] = [];
  let stream = start;
  let wakeAt: number | undefined;
  const waitUntil = (time: number) => {
    wakeAt = Math.min(wakeAt ?? time, time);
  };
  for (const type of resourceTypes) {
    const before = stream.types.get(type.typeUrl);
    if (before === undefined || before.inFlight !== undefined) continue;
    const available = availableTo(stream, type.typeUrl);
    const readyAt = additionsAllowedAt(stream, type, now);
    if (readyAt > now) {
      waitUntil(readyAt);
      continue;
    }
    const deletableAt = deletionsAllowedAt(stream, before);
    if (deletableAt > now && deletableAt !== Number.POSITIVE_INFINITY) waitUntil(deletableAt);
    const update = updateDue(before, available, deletableAt <= now);
    if (update === undefined) {
      if (deletableAt <= now) stream = withType(stream, { ...before, level: available });
      continue;
    }
    const lastNonce = stream.lastNonce + 1;
    const nonce = String(lastNonce);
    responses.push({ type, nonce, update, available });
    const awaited = update.changed.flatMap(({ rewarms }) => rewarms);
    const awaitedNow = awaited.flatMap(({ typeUrl, name }) => resourcesOf(stream.snapshot, typeUrl).get(name) ?? []);
    stream = { ...withType(stream, sent(before, { update, awaited: awaitedNow, nonce, now })), lastNonce };
    stream = warmedAnew(stream, awaited);
  }
  return wakeAt === undefined ? { stream, responses } : { stream, responses, wakeAt };
}

/**
 * What a client may get of a type: the newest snapshot, and what a response in flight makes it wait for, as that was
 * then. Envoy answers for a cluster when its endpoints have come; without those of a cluster that is deleted meanwhile
 * it would never answer, so never be told of the deletion either.
 */
function availableTo(stream: Stream, typeUrl: TypeUrl): ResourceSet {
  const newest = resourcesOf(stream.snapshot, typeUrl);
  const gone: Resource[] = [];
  for (const { inFlight } of stream.types.values()) {
    for (const resource of inFlight?.awaited ?? [])
      if (resource.typeUrl === typeUrl && !newest.has(resource.name)) gone.push(resource);
  }
  return gone.length === 0
    ? newest
    : new Map([...newest, ...gone.map((resource) => [resource.name, resource] as const)]);
}

/**
 * When additions of a type may go out: not before what they refer to is ready at the client, within the limit. The
 * limit is longer while the client has not even been sent all of that: what refers to it would lead nowhere.
 */
function additionsAllowedAt(stream: Stream, type: ResourceType, now: number): number {
  let at = 0;
  for (const used of stream.types.values()) {
    if (used.inFlight === undefined || !used.type.answeredWhenReady) continue;
    if (!used.type.usedBy.includes(type.shortName)) continue;
    const limit = used.inFlight.sentAt + stream.holdLimitMs;
    const isLonger = limit <= now && hasUnsent(used, resourcesOf(stream.snapshot, used.type.typeUrl));
    at = Math.max(at, isLonger ? used.inFlight.sentAt + stream.unsentHoldLimitMs : limit);
  }
  return at;
}

/**
 * When deletions of a type may go out: not before the types that refer to it have sent and settled their own changes,
 * within the limit. Infinity: those are still to be sent, and their sending calls again; or one was refused, and until
 * a newer one is sent the client goes on with a version that may need what is deleted.
 */
function deletionsAllowedAt(stream: Stream, typeStream: TypeStream): number {
  const available = availableTo(stream, typeStream.type.typeUrl);
  if (typeStream.level === available || deletedNames(typeStream, available).length === 0) return 0;
  let at = 0;
  for (const user of stream.types.values()) {
    if (!typeStream.type.usedBy.includes(user.type.shortName)) continue;
    if (keepsRefused(user, resourcesOf(stream.snapshot, user.type.typeUrl))) return Number.POSITIVE_INFINITY;
    if (user.inFlight !== undefined) at = Math.max(at, user.inFlight.sentAt + stream.holdLimitMs);
    else if (updateDue(user, availableTo(stream, user.type.typeUrl), true)) return Number.POSITIVE_INFINITY;
  }
  return at;
}

function warmedAnew(stream: Stream, keys: readonly ResourceKey[]): Stream {
  let next = stream;
  for (const [typeUrl, names] of Map.groupBy(keys, ({ typeUrl }) => typeUrl)) {
    const typeStream = next.types.get(typeUrl);
    if (typeStream === undefined) continue;
    next = withType(
      next,
      rewarmed(
        typeStream,
        names.map(({ name }) => name),
      ),
    );
  }
  return next;
}

function withType(stream: Stream, typeStream: TypeStream): Stream {
  return { ...stream, types: new Map(stream.types).set(typeStream.type.typeUrl, typeStream) };
}
