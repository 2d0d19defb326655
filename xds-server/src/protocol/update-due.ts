import { changesBetween } from "../resources/set-changes.ts";
import { setVersion } from "../resources/set-version.ts";
import type { Resource, ResourceSet, Version } from "../resources/snapshot.ts";
import { memo, memo2 } from "./memo.ts";
import { wants } from "./subscription.ts";
import {
  absent,
  type Held,
  knownAs,
  lastGood,
  rejectedVersions,
  rejects,
  sendsFullState,
  type TypeStream,
  tellsAbsence,
  uncertain,
} from "./type-stream.ts";

/** What the next response must carry. Streams in the same state are given the same object. */
export interface Update {
  /** The state that this is due in. */
  readonly stream: TypeStream;
  /** What it leads to: everything that there is of the type. */
  readonly available: ResourceSet;
  /** The version of `available`. */
  readonly version: Version;
  readonly nonce: string;
  readonly changed: readonly Resource[];
  /** What the client holds already and a full-state response must repeat, because leaving it out would delete it. */
  readonly kept: readonly Resource[];
  /** What the client holds and is told to go on with, because it would drop it otherwise. */
  readonly alive: readonly Resource[];
  /** The names to be told as removed. */
  readonly removed: readonly string[];
  /** Names asked for that do not exist, of a type that says so by a resource without a body. */
  readonly vacant: readonly string[];
  /** The names, as the client knows them, of all that it is told is not there. */
  readonly gone: readonly string[];
  /** Names of what was deleted, which the client is not told yet. */
  readonly withheld: readonly string[];
}

/** How what a client was told differs from what there is. */
interface Difference {
  readonly changed: readonly Resource[];
  /** Names that the client holds, that are gone, and that it must be told of. */
  readonly deleted: readonly string[];
  /** Names asked for that do not exist and that the client was not told of yet. */
  readonly missing: readonly string[];
}

const difference = memo2((stream: TypeStream, available: ResourceSet): Difference => {
  const { held, subscription, type } = stream;
  const changed = new Set<Resource>();
  const deleted: string[] = [];
  const missing: string[] = [];
  for (const name of suspects(stream, available)) {
    const resource = found(stream, available, name);
    const known = held.get(name);
    if (resource !== undefined) {
      const newest = rejects(stream, name, resource.version) ? goesOnWith(known) : resource;
      if (newest !== undefined && known?.sent !== newest.version && wants(subscription, name)) changed.add(newest);
    } else if (tellsAbsence(stream)) {
      const isUncertain = known === undefined || (known.sent === uncertain && type.sendsRemovals);
      if (isUncertain && subscription.names.has(name)) missing.push(name);
      else if (known !== undefined && known.sent !== absent && type.sendsRemovals) deleted.push(name);
    }
  }
  return { changed: [...changed], deleted, missing };
});

/** What a client that rejected the newest version goes on with; sent again where it may not have it. */
const goesOnWith = (known: Held | undefined): Resource | undefined =>
  known?.sent === uncertain ? lastGood(known) : undefined;

/** The names in which what the client was told can differ from what there is, each once. */
function suspects(stream: TypeStream, available: ResourceSet): Iterable<string> {
  const { subscription, held, level, doubtful } = stream;
  if (level === undefined) {
    const names = new Set<string>(subscription.wildcard ? available.keys() : []);
    for (const name of subscription.names) names.add(name);
    for (const name of held.keys()) names.add(name);
    return names;
  }
  const { changed, removed } = changesBetween(level, available);
  if (changed.length === 0 && removed.length === 0) return doubtful;
  const names = new Set<string>(doubtful);
  const add = (resource: Resource | undefined): void => {
    if (resource !== undefined) for (const name of knownAs(stream, resource)) names.add(name);
  };
  for (const resource of changed) {
    add(resource);
    if (resource.aliases !== undefined) add(level.get(resource.name));
  }
  for (const name of removed) add(level.get(name));
  return names;
}

/** The resource that a client means by a name. */
export function found({ type }: TypeStream, available: ResourceSet, name: string): Resource | undefined {
  return available.get(name) ?? (type.hasAliases ? byAlias(available).get(name) : undefined);
}

const byAlias = memo(
  (set: ResourceSet): ReadonlyMap<string, Resource> =>
    new Map([...set.values()].flatMap((resource) => (resource.aliases ?? []).map((alias) => [alias, resource]))),
);

/**
 * The update due now, or undefined when the client is up to date or has an answer to give first. With
 * `deletions: false` what was deleted is kept for now, because something may still refer to it.
 */
export function updateDue(
  stream: TypeStream,
  available: ResourceSet,
  { deletions }: { deletions: boolean },
): Update | undefined {
  if (stream.inFlight !== undefined) return undefined;
  const { changed, deleted, missing } = difference(stream, available);
  const tellsDeleted = deletions && deleted.length > 0;
  if (changed.length === 0 && missing.length === 0 && !tellsDeleted && !stream.owed) return undefined;
  return tellsDeleted ? withDeletions(stream, available) : withoutDeletions(stream, available);
}

const withDeletions = memo2((stream: TypeStream, available: ResourceSet) => made(stream, available, true));
const withoutDeletions = memo2((stream: TypeStream, available: ResourceSet) => made(stream, available, false));

function made(stream: TypeStream, available: ResourceSet, deletions: boolean): Update {
  const { changed, deleted, missing } = difference(stream, available);
  const toldDeleted = deletions ? deleted : [];
  const gone = [...toldDeleted, ...missing];
  const told = new Set([...changed.map(({ name }) => name), ...gone]);
  const kept = sendsFullState(stream) ? keptResources(stream, available, told) : [];
  const removed = toldDeleted.map((name) => ownName(stream, name));
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

/** What every response says of where it leads. */
export function nextResponse(
  stream: TypeStream,
  available: ResourceSet,
): Pick<Update, "stream" | "available" | "version" | "nonce"> {
  const version = setVersion(available);
  return { stream, available, version, nonce: nonceAfter(stream.lastNonce, version) };
}

/**
 * A nonce made of the version, so that a response has the same bytes for all who are due it. It has to differ from the
 * one before only: a request that bears an older one came before the answer to that, because a stream keeps its order
 * and a response waits for the answer to the one before.
 */
function nonceAfter(last: string, version: Version): string {
  const [lastVersion, count = "1"] = last.split(".");
  return lastVersion === version ? `${version}.${Number(count) + 1}` : version;
}

/** The resource's own name, of one that the client knows by an alias and that is gone. */
function ownName({ type, level, held }: TypeStream, name: string): string {
  if (!type.hasAliases) return name;
  return held.get(name)?.accepted?.name ?? (level && byAlias(level).get(name)?.name) ?? name;
}

/** True when there is something to tell, be it now or later. */
export function hasDue(stream: TypeStream, available: ResourceSet): boolean {
  const { changed, deleted, missing } = difference(stream, available);
  return stream.owed || changed.length > 0 || deleted.length > 0 || missing.length > 0;
}

/** True when the client was not sent the newest version of everything that it wants. */
export function hasUnsent(stream: TypeStream, available: ResourceSet): boolean {
  return difference(stream, available).changed.length > 0;
}

/** Names that the client holds, that are gone, and that it must be told of. */
export function deletedNames(stream: TypeStream, available: ResourceSet): readonly string[] {
  return difference(stream, available).deleted;
}

/** True when the client rejected what it should hold, and goes on with what it has. */
export function keepsRejected(stream: TypeStream, available: ResourceSet): boolean {
  for (const { name, version } of rejectedVersions(stream.rejected)) {
    if (version !== found(stream, available, name)?.version) continue;
    const held = stream.held.get(name);
    if (stream.mayHoldEarlier || (held && lastGood(held))) return true;
  }
  return false;
}

/**
 * What a full response repeats beside the names that it tells something of. A rejected resource stands in its last good
 * version. When that is of an earlier stream, it is not known here; the rejected one stands for it then, because a client
 * that finds the name goes on with what it has.
 */
export function keptResources(
  stream: TypeStream,
  available: ResourceSet,
  told: ReadonlySet<string>,
): readonly Resource[] {
  const kept: Resource[] = [];
  for (const [name, held] of stream.held) {
    if (told.has(name)) continue;
    const resource = available.get(name);
    const isGood = resource !== undefined && !rejects(stream, name, resource.version);
    const good = isGood ? resource : lastGood(held);
    if (good !== undefined) kept.push(good);
    const standIn = resource ?? held.rejected;
    if (good === undefined && stream.mayHoldEarlier && standIn !== undefined) kept.push(standIn);
  }
  return kept;
}
