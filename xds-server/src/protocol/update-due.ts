import { changesBetween } from "../resources/set-changes.ts";
import { setVersion } from "../resources/set-version.ts";
import type { Resource, ResourceSet, Version } from "../resources/snapshot.ts";
import { memo, memo2 } from "./memo.ts";
import { wants } from "./subscription.ts";
import {
  absent,
  canReportAbsence,
  type Held,
  knownAs,
  lastGood,
  rejectedVersions,
  rejects,
  sendsFullState,
  type TypeStream,
  uncertain,
} from "./type-stream.ts";

/** The content of the next response. Streams in the same state share one object. */
export interface Update {
  /** The state in which this update is due. */
  readonly stream: TypeStream;
  /** All resources of the type. The update brings the client to this set. */
  readonly available: ResourceSet;
  /** The version of `available`. */
  readonly version: Version;
  readonly nonce: string;
  readonly changed: readonly Resource[];
  /** Unchanged resources that a full-state response must repeat, because the client deletes what it leaves out. */
  readonly kept: readonly Resource[];
  /** Resources that a heartbeat renews, because the client drops them otherwise. */
  readonly alive: readonly Resource[];
  /** The names that the response lists as removed. */
  readonly removed: readonly string[];
  /** Subscribed names that do not exist, of a type that reports this by a resource without a body. */
  readonly vacant: readonly string[];
  /** All names that this update reports as absent, as the client knows them. */
  readonly gone: readonly string[];
  /** Deleted names whose deletion is not sent yet. */
  readonly withheld: readonly string[];
}

/** The difference between what was sent to a client and the available resources. */
interface Difference {
  readonly changed: readonly Resource[];
  /** Deleted names that the client holds and whose deletion must be sent. */
  readonly deleted: readonly string[];
  /** Subscribed names that do not exist, which was not reported to the client yet. */
  readonly missing: readonly string[];
}

const difference = memo2((stream: TypeStream, available: ResourceSet): Difference => {
  const { held, subscription, type } = stream;
  const changed = new Set<Resource>();
  const deleted: string[] = [];
  const missing: string[] = [];
  for (const name of unsettledNames(stream, available)) {
    const resource = found(stream, available, name);
    const known = held.get(name);
    if (resource !== undefined) {
      const newest = rejects(stream, name, resource.version) ? lastGoodIfDue(known) : resource;
      if (newest !== undefined && known?.sent !== newest.version && wants(subscription, name)) changed.add(newest);
    } else if (canReportAbsence(stream)) {
      const isUnreported = known === undefined || (known.sent === uncertain && type.sendsRemovals);
      if (isUnreported && subscription.names.has(name)) missing.push(name);
      else if (known !== undefined && known.sent !== absent && type.sendsRemovals) deleted.push(name);
    }
  }
  return { changed: [...changed], deleted, missing };
});

/** The last good version, for a client that rejected the newest one. Undefined unless that is due again. */
const lastGoodIfDue = (known: Held | undefined): Resource | undefined =>
  known?.sent === uncertain ? lastGood(known) : undefined;

/** The names whose state at the client may differ from `available`, each once. */
function unsettledNames(stream: TypeStream, available: ResourceSet): Iterable<string> {
  const { subscription, held, comparedWith, unsettled } = stream;
  if (comparedWith === undefined) {
    const names = new Set<string>(subscription.wildcard ? available.keys() : []);
    for (const name of subscription.names) names.add(name);
    for (const name of held.keys()) names.add(name);
    return names;
  }
  const { changed, removed } = changesBetween(comparedWith, available);
  if (changed.length === 0 && removed.length === 0) return unsettled;
  const names = new Set<string>(unsettled);
  const add = (resource: Resource | undefined): void => {
    if (resource !== undefined) for (const name of knownAs(stream, resource)) names.add(name);
  };
  for (const resource of changed) {
    add(resource);
    if (resource.aliases !== undefined) add(comparedWith.get(resource.name));
  }
  for (const name of removed) add(comparedWith.get(name));
  return names;
}

/** The resource of this name or alias. */
export function found({ type }: TypeStream, available: ResourceSet, name: string): Resource | undefined {
  return available.get(name) ?? (type.hasAliases ? byAlias(available).get(name) : undefined);
}

const byAlias = memo(
  (set: ResourceSet): ReadonlyMap<string, Resource> =>
    new Map([...set.values()].flatMap((resource) => (resource.aliases ?? []).map((alias) => [alias, resource]))),
);

/**
 * The update due now. Undefined when the client is up to date, or has a response to answer first. With `deletions: false`
 * deletions are withheld, because something may still refer to the deleted resources.
 */
export function updateDue(
  stream: TypeStream,
  available: ResourceSet,
  { deletions }: { deletions: boolean },
): Update | undefined {
  if (stream.inFlight !== undefined) return undefined;
  const { changed, deleted, missing } = difference(stream, available);
  const sendsDeletions = deletions && deleted.length > 0;
  if (changed.length === 0 && missing.length === 0 && !sendsDeletions && !stream.owed) return undefined;
  return sendsDeletions ? withDeletions(stream, available) : withoutDeletions(stream, available);
}

const withDeletions = memo2((stream: TypeStream, available: ResourceSet) => updateFor(stream, available, true));
const withoutDeletions = memo2((stream: TypeStream, available: ResourceSet) => updateFor(stream, available, false));

function updateFor(stream: TypeStream, available: ResourceSet, deletions: boolean): Update {
  const { changed, deleted, missing } = difference(stream, available);
  const sentDeletions = deletions ? deleted : [];
  const gone = [...sentDeletions, ...missing];
  const covered = new Set([...changed.map(({ name }) => name), ...gone]);
  const kept = sendsFullState(stream) ? keptResources(stream, available, covered) : [];
  const removed = sentDeletions.map((name) => ownName(stream, name));
  return {
    ...nextResponse(stream, available),
    changed,
    kept,
    alive: [],
    removed: stream.type.hasAliases ? [...new Set(removed)] : [...removed, ...missing],
    vacant: stream.type.hasAliases ? missing : [],
    gone,
    withheld: deletions ? [] : deleted,
  };
}

/** The fields that every update has. */
export function nextResponse(
  stream: TypeStream,
  available: ResourceSet,
): Pick<Update, "stream" | "available" | "version" | "nonce"> {
  const version = setVersion(available);
  return { stream, available, version, nonce: nonceAfter(stream.lastNonce, version) };
}

/**
 * The next nonce. It contains the version and nothing of the stream, so that a response has the same bytes for all streams
 * that are due it. It only has to differ from the nonce before it. Each response waits for the answer to the one before,
 * and a stream keeps its order, so no request with a still older nonce can follow that answer.
 */
function nonceAfter(last: string, version: Version): string {
  const [lastVersion, count = "1"] = last.split(".");
  return lastVersion === version ? `${version}.${Number(count) + 1}` : version;
}

/** The own name of a deleted resource that the client knows by an alias. */
function ownName({ type, comparedWith, held }: TypeStream, name: string): string {
  if (!type.hasAliases) return name;
  return held.get(name)?.accepted?.name ?? (comparedWith && byAlias(comparedWith).get(name)?.name) ?? name;
}

/** True when there is something to send, now or later. */
export function hasDue(stream: TypeStream, available: ResourceSet): boolean {
  const { changed, deleted, missing } = difference(stream, available);
  return stream.owed || changed.length > 0 || deleted.length > 0 || missing.length > 0;
}

/** True when a resource that the client wants is not sent yet in its newest version. */
export function hasUnsent(stream: TypeStream, available: ResourceSet): boolean {
  return difference(stream, available).changed.length > 0;
}

/** Deleted names that the client holds and whose deletion must be sent. */
export function deletedNames(stream: TypeStream, available: ResourceSet): readonly string[] {
  return difference(stream, available).deleted;
}

/** True when the client rejected the newest version of a resource and keeps an older one. */
export function usesOlderVersion(stream: TypeStream, available: ResourceSet): boolean {
  for (const { name, version } of rejectedVersions(stream.rejected)) {
    if (version !== found(stream, available, name)?.version) continue;
    const held = stream.held.get(name);
    if (stream.mayHoldEarlier || (held && lastGood(held))) return true;
  }
  return false;
}

/**
 * The resources that a full response repeats. `covered` are the names that it already changes or reports as absent. A
 * rejected resource is repeated in its last good version. If that version is from an earlier stream, it is not known here.
 * Then the rejected version is repeated: the client finds the name in the response and keeps the version that it has.
 */
export function keptResources(
  stream: TypeStream,
  available: ResourceSet,
  covered: ReadonlySet<string>,
): readonly Resource[] {
  const kept: Resource[] = [];
  for (const [name, held] of stream.held) {
    if (covered.has(name)) continue;
    const resource = available.get(name);
    const isGood = resource !== undefined && !rejects(stream, name, resource.version);
    const good = isGood ? resource : lastGood(held);
    if (good !== undefined) kept.push(good);
    const standIn = resource ?? held.rejected;
    if (good === undefined && stream.mayHoldEarlier && standIn !== undefined) kept.push(standIn);
  }
  return kept;
}
