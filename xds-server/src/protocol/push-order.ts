import type { ResourceType, TypeUrl } from "../resources/resource-types.ts";
import { type Resource, type ResourceSet, resourcesOf, type Snapshot } from "../resources/snapshot.ts";
import { memo, memo2 } from "./memo.ts";
import type { Stream } from "./stream-state.ts";
import type { TypeStream } from "./type-stream.ts";
import { deletedNames, hasDue, hasUnsent, keepsRejected, type Update } from "./update-due.ts";

/** Names of what a client waits for anew when it takes an update, by type. */
export const rewarms = memo((update: Update): ReadonlyMap<TypeUrl, readonly string[]> => {
  const keys = update.changed.flatMap((resource) => resource.rewarms);
  const byType = Map.groupBy(keys, ({ typeUrl }) => typeUrl);
  return new Map([...byType].map(([typeUrl, keys]) => [typeUrl, keys.map(({ name }) => name)]));
});

/** The same, as the resources that there are. */
export function awaitedBy(update: Update, snapshot: Snapshot): readonly Resource[] {
  return rewarms(update).size === 0 ? nothing : awaitedIn(update, snapshot);
}

const nothing: readonly Resource[] = [];

const awaitedIn = memo2((update: Update, snapshot: Snapshot): readonly Resource[] =>
  [...rewarms(update)].flatMap(([typeUrl, names]) => {
    const set = resourcesOf(snapshot, typeUrl);
    return names.flatMap((name) => set.get(name) ?? []);
  }),
);

/**
 * What a client may get of a type: the newest snapshot, and what a response in flight makes it wait for, as that was
 * then. Envoy answers for a cluster when its endpoints have come; without those of a cluster that is deleted meanwhile
 * it would never answer, so never be told of the deletion either.
 */
export function availableTo(stream: Stream, typeUrl: TypeUrl): ResourceSet {
  let available = resourcesOf(stream.snapshot, typeUrl);
  for (const { inFlight } of stream.types.values()) {
    if (inFlight === undefined || inFlight.awaited.length === 0) continue;
    const awaited = byType(inFlight.awaited).get(typeUrl);
    if (awaited !== undefined) available = withAwaited(available, awaited);
  }
  return available;
}

const byType = memo((resources: readonly Resource[]) => Map.groupBy(resources, ({ typeUrl }) => typeUrl));

const withAwaited = memo2((newest: ResourceSet, awaited: readonly Resource[]): ResourceSet => {
  const gone = awaited.filter(({ name }) => !newest.has(name));
  return gone.length === 0
    ? newest
    : new Map([...newest, ...gone.map((resource) => [resource.name, resource] as const)]);
});

/** A time that has always come, whatever the clock says, and one that never does. */
export const always = 0;
export const never = Number.POSITIVE_INFINITY;

/**
 * When additions of a type may go out: not before what they refer to is ready at the client, within the limit. The
 * limit is longer while the client has not even been sent all of that: what refers to it would lead nowhere.
 */
export function additionsAllowedAt(stream: Stream, type: ResourceType, now: number): number {
  let at = always;
  for (const used of stream.types.values()) {
    if (used.inFlight === undefined || !used.type.answeredWhenReady) continue;
    if (!used.type.usedBy.includes(type.shortName)) continue;
    const limit = sentAt(stream, used) + stream.limits.holdLimitMs;
    const isLonger = limit <= now && hasUnsent(used, resourcesOf(stream.snapshot, used.type.typeUrl));
    at = Math.max(at, isLonger ? sentAt(stream, used) + stream.limits.unsentHoldLimitMs : limit);
  }
  return at;
}

/**
 * When deletions of a type may go out: not before the types that refer to it have sent and settled their own changes,
 * within the limit. Never: those are still to be sent, and their sending calls again; or one was rejected, and until
 * a newer one is sent the client goes on with a version that may need what is deleted.
 */
export function deletionsAllowedAt(stream: Stream, typeStream: TypeStream, available: ResourceSet): number {
  if (deletedNames(typeStream, available).length === 0) return always;
  let at = always;
  for (const user of stream.types.values()) {
    if (!typeStream.type.usedBy.includes(user.type.shortName)) continue;
    if (keepsRejected(user, resourcesOf(stream.snapshot, user.type.typeUrl))) return never;
    if (user.inFlight !== undefined) at = Math.max(at, sentAt(stream, user) + stream.limits.holdLimitMs);
    else if (hasDue(user, availableTo(stream, user.type.typeUrl))) return never;
  }
  return at;
}

const sentAt = (stream: Stream, { type }: TypeStream): number => stream.sentAt.get(type.typeUrl) ?? 0;
