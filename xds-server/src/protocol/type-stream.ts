import type { ResourceType } from "../resources/resource-types.ts";
import type { Resource, ResourceSet, Version } from "../resources/snapshot.ts";
import { newSubscription, type Subscription, wants } from "./subscription.ts";

/** The two forms of the protocol: every response says everything, or only what changed. */
export type Variant = "sotw" | "delta";

/**
 * What the server knows of one resource type on one stream. Immutable.
 *
 * Nothing is queued: an update is always the difference between what the client holds and the newest snapshot, so a
 * slow client costs no memory and gets the newest state when it is ready.
 */
export interface TypeStream {
  readonly type: ResourceType;
  readonly variant: Variant;
  readonly subscription: Subscription;
  readonly held: ReadonlyMap<string, Held>;
  /** The response that the client has not answered yet. At most one. */
  readonly inFlight: InFlight | undefined;
  /** The nonce of the last response; empty before the first. */
  readonly lastNonce: string;
  /** True while a client that wants everything waits for a response even if there is nothing to put into it. */
  readonly owed: boolean;
  /** True while the client may go on with versions of an earlier stream that `held` cannot know. */
  readonly mayHoldEarlier: boolean;
  /** The set that `held` was last found to be level with: a shortcut, never a truth of its own. */
  readonly level: ResourceSet | undefined;
}

/** What the client knows of one resource. */
export interface Held {
  /** The version last sent; `absent` when the client was told that there is none. */
  readonly sent: Version;
  /** What the client accepted last; absent before it did, and for versions of an earlier stream. */
  readonly accepted?: Resource;
  /** Why the client refused the version last sent. */
  readonly refusal?: Refusal;
}

/** Stands for the version of a resource that does not exist. No content hash is empty. */
export const absent: Version = "";

export interface Refusal {
  readonly version: Version;
  /** The client's own words. */
  readonly reason: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

export interface InFlight {
  readonly nonce: string;
  readonly changed: readonly Resource[];
  /** What the client waits for before it answers, as it was when this was sent. */
  readonly awaited: readonly Resource[];
  /** What the client knew before of the names that it was told are absent, in case it refuses the response. */
  readonly removed: ReadonlyMap<string, Held | undefined>;
  /** Milliseconds since the epoch. */
  readonly sentAt: number;
}

/** What the next response must carry. */
export interface Update {
  readonly changed: readonly Resource[];
  /** What the client holds already and a full-state response must repeat, because leaving it out would delete it. */
  readonly kept: readonly Resource[];
  readonly removed: readonly string[];
}

export function newTypeStream(type: ResourceType, variant: Variant): TypeStream {
  return {
    type,
    variant,
    subscription: newSubscription,
    held: new Map(),
    inFlight: undefined,
    lastNonce: "",
    owed: false,
    mayHoldEarlier: false,
    level: undefined,
  };
}

/**
 * The update due now, or undefined when the client is up to date or has an answer to give first. With
 * `deletions: false` what was deleted is kept for now, because something may still refer to it.
 */
export function updateDue(stream: TypeStream, available: ResourceSet, deletions: boolean): Update | undefined {
  if (stream.inFlight !== undefined || stream.level === available) return undefined;
  const changed = [...unsent(stream, available)];
  const deleted = deletions ? deletedNames(stream, available) : [];
  const removed = [...deleted, ...missingNames(stream, available)];
  if (changed.length === 0 && removed.length === 0 && !stream.owed) return undefined;
  return { changed, removed, kept: sendsFullState(stream) ? keptResources(stream, available, deleted) : [] };
}

/** True when the client was not sent the newest version of everything that it wants. */
export function hasUnsent(stream: TypeStream, available: ResourceSet): boolean {
  return unsent(stream, available).next().done !== true;
}

function* unsent(stream: TypeStream, available: ResourceSet): Generator<Resource> {
  for (const resource of candidates(stream, available)) {
    if (stream.held.get(resource.name)?.sent !== resource.version) yield resource;
  }
}

/** Names that the client holds, that are gone, and that it must be told of. */
export function deletedNames(stream: TypeStream, available: ResourceSet): readonly string[] {
  if (!tellsAbsence(stream) || !stream.type.sendsRemovals) return [];
  const names: string[] = [];
  for (const [name, { sent }] of stream.held) if (sent !== absent && !available.has(name)) names.push(name);
  return names;
}

/** Names asked for that do not exist and that the client was not told of yet. */
function missingNames(stream: TypeStream, available: ResourceSet): readonly string[] {
  if (!tellsAbsence(stream)) return [];
  const { subscription, held } = stream;
  return [...subscription.names].filter((name) => !available.has(name) && !held.has(name));
}

/** Everything available that the client wants, looked up by name where that is shorter. */
function* candidates({ subscription }: TypeStream, available: ResourceSet): Iterable<Resource> {
  if (subscription.wildcard) return yield* available.values();
  for (const name of subscription.names) {
    const resource = available.get(name);
    if (resource !== undefined) yield resource;
  }
}

/** True when the client refused what it should hold, and goes on with what it has. */
export function keepsRefused({ held, mayHoldEarlier }: TypeStream, available: ResourceSet): boolean {
  for (const [name, { accepted, refusal }] of held) {
    if (refusal === undefined || refusal.version !== available.get(name)?.version) continue;
    if (accepted !== undefined || mayHoldEarlier) return true;
  }
  return false;
}

/**
 * A refused resource stands in its last good version. When that is of an earlier stream, it is not known here; the
 * refused one stands for it then, because a client that finds the name goes on with what it has.
 */
function keptResources(stream: TypeStream, available: ResourceSet, deleted: readonly string[]): readonly Resource[] {
  const gone = new Set(deleted);
  const kept: Resource[] = [];
  for (const [name, { sent, accepted, refusal }] of stream.held) {
    const resource = available.get(name);
    if (resource !== undefined && resource.version !== sent) continue; // is among the changed
    if (resource !== undefined && refusal === undefined) kept.push(resource);
    else if (accepted !== undefined) {
      if (!gone.has(name)) kept.push(accepted);
    } else if (stream.mayHoldEarlier && resource !== undefined) kept.push(resource);
  }
  return kept;
}

/** Delta can say that a name does not exist; state of the world only by leaving it out of a full response. */
function tellsAbsence({ variant, type }: TypeStream): boolean {
  return variant === "delta" || type.fullState;
}

function sendsFullState({ variant, type }: TypeStream): boolean {
  return variant === "sotw" && type.fullState;
}

export function sent(
  stream: TypeStream,
  { update, awaited, nonce, now }: { update: Update; awaited: readonly Resource[]; nonce: string; now: number },
): TypeStream {
  const held = new Map(stream.held);
  for (const { name, version } of update.changed) {
    const accepted = held.get(name)?.accepted;
    held.set(name, accepted === undefined ? { sent: version } : { sent: version, accepted });
  }
  const removed = new Map(update.removed.map((name) => [name, held.get(name)]));
  for (const name of update.removed) {
    // What was asked for by name stays known as absent; what came by wildcard is forgotten, or `held` would only grow.
    if (stream.subscription.names.has(name)) held.set(name, { sent: absent });
    else held.delete(name);
  }
  const inFlight: InFlight = { nonce, changed: update.changed, awaited, removed, sentAt: now };
  return { ...stream, held, inFlight, lastNonce: nonce, owed: false, level: undefined };
}

/** The client took the response in flight. */
export function accepted(stream: TypeStream): TypeStream {
  const changed = stream.inFlight?.changed ?? [];
  const nothingEarlier = stream.mayHoldEarlier && sendsFullState(stream);
  if (changed.length === 0 && !nothingEarlier) return { ...stream, inFlight: undefined };
  const held = new Map(stream.held);
  for (const resource of changed) {
    if (held.has(resource.name)) held.set(resource.name, { sent: resource.version, accepted: resource });
  }
  if (!nothingEarlier) return { ...stream, held, inFlight: undefined, level: undefined };
  // The client holds what the response said and nothing else: what was refused before and repeated is taken now.
  for (const [name, { sent, accepted, refusal }] of held) {
    if (refusal !== undefined && accepted === undefined) held.set(name, { sent });
  }
  return { ...stream, held, inFlight: undefined, mayHoldEarlier: false, level: undefined };
}

/**
 * The client refused the response in flight. The resources that its reason names are not sent again until they change.
 * The rest of the response may not have been applied either, so it counts as not sent. A reason that names nothing
 * speaks of them all.
 */
export function refused(stream: TypeStream, { reason, at }: { reason: string; at: number }): TypeStream {
  const changed = stream.inFlight?.changed ?? [];
  const named = changed.filter(({ name }) => mentions(reason, name));
  // Such a response has to repeat what is refused (see keptResources), so the rest would be refused with it for ever.
  // Envoy, for which this is done, takes the rest.
  const takesRest = stream.mayHoldEarlier && sendsFullState(stream);
  const isSpecific = named.length > 0 || (takesRest && namesRefused(stream, changed, reason));
  const culprits = new Set(isSpecific ? named : changed);
  const held = new Map(stream.held);
  for (const resource of changed) {
    const before = held.get(resource.name);
    if (before === undefined) continue; // unsubscribed meanwhile
    const good = takesRest && !culprits.has(resource) ? resource : before.accepted;
    if (culprits.has(resource)) {
      const refusal = { version: resource.version, reason, at };
      held.set(resource.name, { ...before, sent: resource.version, refusal });
    } else if (good === undefined) held.delete(resource.name);
    else held.set(resource.name, { sent: good.version, accepted: good });
  }
  // A deletion beside a resource at fault is told again with the rest; one that was refused for itself is not.
  if (changed.length > 0 && !takesRest) {
    for (const [name, before] of stream.inFlight?.removed ?? []) {
      if (before === undefined) held.delete(name);
      else if (wants(stream.subscription, name)) held.set(name, before);
    }
  }
  return { ...stream, held, inFlight: undefined, level: undefined };
}

/** True when the reason names a resource that was refused before, and that the response could only repeat. */
function namesRefused({ held }: TypeStream, changed: readonly Resource[], reason: string): boolean {
  const changedNames = new Set(changed.map(({ name }) => name));
  for (const [name, { accepted, refusal }] of held) {
    if (refusal === undefined || accepted !== undefined || changedNames.has(name)) continue;
    if (mentions(reason, name)) return true;
  }
  return false;
}

/** True when a text holds a resource's name as a word of its own, not inside a longer name. */
export function mentions(text: string, name: string): boolean {
  const partOfName = (char: string | undefined) => char !== undefined && /[\w\-/]/.test(char);
  for (let at = text.indexOf(name); at !== -1; at = text.indexOf(name, at + 1)) {
    if (!partOfName(text[at - 1]) && !partOfName(text[at + name.length])) return true;
  }
  return false;
}

/** What is no longer wanted is forgotten, and what is asked for again is sent again. */
export function resubscribed(
  stream: TypeStream,
  subscription: Subscription,
  askedAgain: readonly string[],
): TypeStream {
  if (subscription === stream.subscription && askedAgain.length === 0) return stream;
  const held = new Map<string, Held>();
  for (const [name, value] of stream.held) if (wants(subscription, name)) held.set(name, value);
  for (const name of askedAgain) held.delete(name);
  const owed = subscription.wildcard && (stream.owed || !stream.subscription.wildcard);
  return { ...stream, subscription, held, owed, level: undefined };
}

/** A client that comes back says which versions it holds, and is sent only the difference. */
export function resumed(stream: TypeStream, versions: ReadonlyMap<string, Version>): TypeStream {
  if (versions.size === 0) return stream;
  const held = new Map(stream.held);
  for (const [name, version] of versions) if (version !== absent) held.set(name, { sent: version });
  return { ...stream, held, owed: false, mayHoldEarlier: true, level: undefined };
}

/** The client waits for these anew, so they count as not sent. */
export function rewarmed(stream: TypeStream, names: readonly string[]): TypeStream {
  const stale = names.filter((name) => stream.held.has(name));
  if (stale.length === 0) return stream;
  const held = new Map(stream.held);
  for (const name of stale) held.delete(name);
  return { ...stream, held, level: undefined };
}
