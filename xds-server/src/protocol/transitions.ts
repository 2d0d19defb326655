import type { Resource, ResourceSet, Version } from "../resources/snapshot.ts";
import { Interner } from "./interner.ts";
import type { LayeredMap } from "./layered-map.ts";
import { memo, memo2 } from "./memo.ts";
import { hashOf, NameSet } from "./name-set.ts";
import { type Subscription, wants } from "./subscription.ts";
import { absent, type Held, knownAs, type Refusal, sendsFullState, type TypeStream, taken } from "./type-stream.ts";
import { deletedNames, found, type Update } from "./update-due.ts";

const toldAbsent: Held = { sent: absent };

/** The stream after the response with this update. `awaited` is what the client waits for before it answers. */
export const sent = memo2((update: Update, awaited: readonly Resource[]): TypeStream => {
  const { stream, changed, gone, nonce } = update;
  const told = new Map<string, Held | undefined>();
  for (const resource of changed) {
    for (const name of knownAs(stream, resource)) {
      const accepted = stream.held.get(name)?.accepted;
      told.set(name, accepted === undefined ? { sent: resource.version } : { sent: resource.version, accepted });
    }
  }
  // What was asked for by name stays known as absent; what came by wildcard is forgotten, or `held` would only grow.
  for (const name of gone) told.set(name, stream.subscription.names.has(name) ? toldAbsent : undefined);
  return {
    ...stream,
    held: stream.held.with(told),
    refusals: without(stream.refusals, told.keys()),
    inFlight: { nonce, changed, awaited, removed: new Map(gone.map((name) => [name, stream.held.get(name)])) },
    lastNonce: nonce,
    owed: false,
    level: update.available,
    doubtful: NameSet.of(update.withheld),
  };
});

/** Nothing is due: what the client was told is level with what there is, but for deletions that are withheld. */
export const compared = memo2((stream: TypeStream, available: ResourceSet): TypeStream => {
  const doubtful = NameSet.of(deletedNames(stream, available));
  if (stream.level === available && doubtful.size === 0 && stream.doubtful.size === 0) return stream;
  return shared({ ...stream, level: available, doubtful });
});

/** The client took the response in flight. */
export const accepted = memo((stream: TypeStream): TypeStream => {
  const held = new Map<string, Held>();
  for (const resource of stream.inFlight?.changed ?? []) {
    for (const name of knownAs(stream, resource)) if (stream.held.has(name)) held.set(name, taken(resource));
  }
  const after = { ...stream, held: stream.held.with(held), inFlight: undefined };
  return shared(stream.mayHoldEarlier ? withoutEarlier(after) : after);
});

/** What the client may have held of an earlier stream, it holds no more where all that it holds is known. */
function withoutEarlier(stream: TypeStream): TypeStream {
  const { held, refusals } = stream;
  if (!sendsFullState(stream)) {
    const isKnown = [...held.values()].every(({ sent, accepted }) => sent === absent || accepted !== undefined);
    return isKnown ? { ...stream, mayHoldEarlier: false } : stream;
  }
  // The client holds what the response said and nothing else: what was refused before and repeated is taken now.
  const repeated = [...refusals.keys()].filter((name) => held.get(name)?.accepted === undefined);
  return { ...stream, refusals: without(refusals, repeated), mayHoldEarlier: false };
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
  const held = new Map<string, Held | undefined>();
  const refusals = new Map<string, Refusal>();
  for (const resource of changed) {
    for (const name of knownAs(stream, resource)) {
      const before = stream.held.get(name);
      if (before === undefined) continue; // unsubscribed meanwhile
      const good = takesRest && !culprits.has(resource) ? resource : before.accepted;
      if (culprits.has(resource)) refusals.set(name, { version: resource.version, reason, at });
      else held.set(name, good && taken(good));
    }
  }
  // A deletion beside a resource at fault is told again with the rest; one that was refused for itself is not.
  if (changed.length > 0 && !takesRest) {
    for (const [name, before] of stream.inFlight?.removed ?? []) {
      if (before === undefined || wants(stream.subscription, name)) held.set(name, before);
    }
  }
  return {
    ...stream,
    held: stream.held.with(held),
    refusals: stream.refusals.with(refusals),
    inFlight: undefined,
    doubtful: stream.doubtful.with({ added: held.keys() }),
  };
}

/** True when the reason names a resource that was refused before, and that the response could only repeat. */
function namesRefused({ held, refusals }: TypeStream, changed: readonly Resource[], reason: string): boolean {
  const changedNames = new Set(changed.map(({ name }) => name));
  for (const name of refusals.keys()) {
    if (held.get(name)?.accepted !== undefined || changedNames.has(name)) continue;
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

/** What a delta client named in one request. */
export interface Asked {
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

/**
 * What is no longer wanted is forgotten. What a delta client asks for again is sent again, and what it lets go of
 * under a wildcard too: it asks what has become of it.
 */
export function resubscribed(stream: TypeStream, subscription: Subscription, asked?: Asked): TypeStream {
  if (asked === undefined || stream.held.size === 0) return replacedBy(stream, subscription);
  if (asked.added.length === 0 && asked.removed.length === 0 && subscription === stream.subscription) return stream;
  return renewed(stream, subscription, { looked: [...asked.added, ...asked.removed], forgotten: asked });
}

const replacedBy = memo2((stream: TypeStream, subscription: Subscription): TypeStream => {
  const before = stream.subscription;
  if (subscription === before) return stream;
  const added = [...subscription.names].filter((name) => !before.names.has(name));
  const removed = [...before.names].filter((name) => !subscription.names.has(name));
  return renewed(stream, subscription, { looked: [...added, ...removed], forgotten: { added: [], removed: [] } });
});

function renewed(
  stream: TypeStream,
  subscription: Subscription,
  { looked, forgotten }: { looked: readonly string[]; forgotten: Asked },
): TypeStream {
  const isOther = subscription.wildcard !== stream.subscription.wildcard;
  const gone = new Set([...forgotten.added, ...forgotten.removed]);
  for (const name of isOther ? stream.held.keys() : looked) if (!wants(subscription, name)) gone.add(name);
  return {
    ...stream,
    subscription,
    held: without(stream.held, gone),
    refusals: without(stream.refusals, gone),
    owed: subscription.wildcard && (stream.owed || !stream.subscription.wildcard),
    level: isOther ? undefined : stream.level,
    doubtful: isOther ? NameSet.empty : stream.doubtful.with({ added: looked }),
  };
}

/** What a client holds of an earlier stream, by name. Equal ones are the same object. */
export type HeldVersions = ReadonlyMap<string, Version>;

const knownVersions = new Interner<HeldVersions>();

export function heldVersions(versions: HeldVersions): HeldVersions {
  let hash = 0;
  for (const [name, version] of versions) hash = (hash + Math.imul(hashOf(name), 31) + hashOf(version)) | 0;
  const isSame = (other: HeldVersions): boolean => {
    if (other.size !== versions.size) return false;
    for (const [name, version] of versions) if (other.get(name) !== version) return false;
    return true;
  };
  return knownVersions.intern(hash, isSame, () => versions);
}

/** A client that comes back says which versions it holds, and is sent only the difference. */
export function resumed(stream: TypeStream, versions: HeldVersions, available: ResourceSet): TypeStream {
  return versions.size === 0 ? stream : resumedFrom(versions, available)(stream);
}

const resumedFrom = memo2((versions: HeldVersions, available: ResourceSet) =>
  memo((stream: TypeStream): TypeStream => {
    const held = new Map<string, Held>();
    for (const [name, version] of versions) {
      if (version === absent) continue;
      const resource = found(stream, available, name);
      held.set(name, resource?.version === version ? taken(resource) : { sent: version });
    }
    const isKnown = [...held.values()].every(({ accepted }) => accepted !== undefined);
    return { ...stream, held: stream.held.with(held), owed: false, mayHoldEarlier: !isKnown, level: undefined };
  }),
);

/** The client waits for these anew, so they count as not sent. What it refused it would only refuse again. */
export const rewarmed = memo2((stream: TypeStream, names: readonly string[]): TypeStream => {
  const stale = names.filter((name) => stream.held.has(name) && !stream.refusals.has(name));
  if (stale.length === 0) return stream;
  return { ...stream, held: without(stream.held, stale), doubtful: stream.doubtful.with({ added: stale }) };
});

function without<V>(map: LayeredMap<string, V>, names: Iterable<string>): LayeredMap<string, V> {
  if (map.size === 0) return map;
  return map.with([...names].map((name) => [name, undefined] as const));
}

/**
 * A stream that holds all that it wants in its newest version is the same object as every other that does. Ways that
 * differed, because one was slow, refused something or came later, meet here again.
 */
function shared(stream: TypeStream): TypeStream {
  const { level, doubtful, refusals, inFlight, owed, mayHoldEarlier, held } = stream;
  if (level === undefined || inFlight !== undefined || owed || mayHoldEarlier) return stream;
  if (doubtful.size > 0 || refusals.size > 0) return stream;
  for (const [name, { sent, accepted }] of held) {
    const resource = found(stream, level, name);
    if ((resource?.version ?? absent) !== sent || (resource !== undefined && accepted === undefined)) return stream;
  }
  const last = settled(level, stream.subscription);
  const key = `${stream.variant} ${stream.type.typeUrl}`;
  const known = last.get(key);
  if (known?.lastNonce === stream.lastNonce) return known;
  last.set(key, stream);
  return stream;
}

/** The last one of each variant and type. */
const settled = memo2((_level: ResourceSet, _subscription: Subscription): Map<string, TypeStream> => new Map());
