import type { ResourceType, TypeUrl } from "../resources/resource-types.ts";
import { type Resource, type ResourceSet, resourcesOf, type Snapshot } from "../resources/snapshot.ts";
import { memo, memo2 } from "./memo.ts";
import type { Stream } from "./stream-state.ts";
import type { TypeStream } from "./type-stream.ts";
import { deletedNames, hasDue, hasUnsent, type Update, usesOlderVersion } from "./update-due.ts";

/** The names that a client waits for when it receives an update, by type. */
export const rewarms = memo((update: Update): ReadonlyMap<TypeUrl, readonly string[]> => {
  const keys = update.changed.flatMap((resource) => resource.rewarms);
  const byType = Map.groupBy(keys, ({ typeUrl }) => typeUrl);
  return new Map([...byType].map(([typeUrl, keys]) => [typeUrl, keys.map(({ name }) => name)]));
});

/** The same as resources of a snapshot. Names that do not exist are left out. */
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
 * The resources of a type that a client may get: those of the newest snapshot, and those that a response in flight makes
 * it wait for, as they were when that was sent. Envoy answers a cluster only after its endpoints arrive. If both are
 * deleted in the meantime, Envoy still needs the endpoints: without them it never answers, and never gets the deletion.
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

/** A time that is always in the past, and one that never comes. */
export const always = 0;
export const never = Number.POSITIVE_INFINITY;

/**
 * When additions of a type may be sent, in milliseconds since the epoch: once the resources that they refer to are ready
 * at the client, or at the limit. The limit is longer while some of those resources are not even sent: the client would
 * get references to resources that it does not have.
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
 * When deletions of a type may be sent, in milliseconds since the epoch: once the changes of the types that refer to it
 * are sent and answered, or at the limit. `never` in two cases. First, such changes are still to be sent; this function is
 * called again after that. Second, such a change was rejected. Until a newer version is sent, the client stays on an older
 * one, which may need the deleted resource.
 */
export function deletionsAllowedAt(stream: Stream, typeStream: TypeStream, available: ResourceSet): number {
  if (deletedNames(typeStream, available).length === 0) return always;
  let at = always;
  for (const user of stream.types.values()) {
    if (!typeStream.type.usedBy.includes(user.type.shortName)) continue;
    if (usesOlderVersion(user, resourcesOf(stream.snapshot, user.type.typeUrl))) return never;
    if (user.inFlight !== undefined) at = Math.max(at, sentAt(stream, user) + stream.limits.holdLimitMs);
    else if (hasDue(user, availableTo(stream, user.type.typeUrl))) return never;
  }
  return at;
}

const sentAt = (stream: Stream, { type }: TypeStream): number => stream.sentAt.get(type.typeUrl) ?? 0;
