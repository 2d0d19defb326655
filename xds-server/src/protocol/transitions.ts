import type { Resource, ResourceSet, Version } from "../resources/snapshot.ts";
import { Interner } from "./interner.ts";
import { memo, memo2 } from "./memo.ts";
import { hashOf, NameSet } from "./name-set.ts";
import { type Subscription, wants } from "./subscription.ts";
import {
  absent,
  doubted,
  type Held,
  knownAs,
  lastGood,
  newTypeStream,
  refusalKey,
  refusedVersions,
  sendsFullState,
  type TypeStream,
  taken,
  uncertain,
} from "./type-stream.ts";
import { deletedNames, found, type Update } from "./update-due.ts";

const toldAbsent: Held = { sent: absent };

/** The stream after the response with this update. `awaited` is what the client waits for before it answers. */
export const sent = memo2((update: Update, awaited: readonly Resource[]): TypeStream => {
  const { stream, changed, gone, nonce } = update;
  const told = new Map<string, Held | undefined>();
  for (const resource of changed) {
    for (const name of knownAs(stream, resource)) {
      told.set(name, { ...stream.held.get(name), sent: resource.version });
    }
  }
  // What was asked for by name stays known as absent; what came by wildcard is forgotten, or `held` would only grow.
  for (const name of gone) told.set(name, stream.subscription.names.has(name) ? toldAbsent : undefined);
  return {
    ...stream,
    held: stream.held.with(told),
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
    for (const name of knownAs(stream, resource)) {
      // It may have been asked for anew meanwhile, or left and come back to: then it has it, and is still to be told.
      const isLast = stream.held.get(name)?.sent === resource.version;
      held.set(name, isLast ? taken(resource) : doubted(taken(resource)));
    }
  }
  const after = answered(stream, held);
  return shared(stream.mayHoldEarlier ? withoutEarlier(after) : after);
});

/** The stream after an answer that tells what the client holds of some names. */
function answered(stream: TypeStream, changes: ReadonlyMap<string, Held | undefined>): TypeStream {
  const uncertainNames = [...changes].filter(([, held]) => held?.sent === uncertain).map(([name]) => name);
  const doubtful = stream.doubtful.with({ added: uncertainNames });
  return { ...stream, held: stream.held.with(changes), doubtful, inFlight: undefined };
}

/** What the client may have held of an earlier stream, it holds no more where all that it holds is known. */
function withoutEarlier(stream: TypeStream): TypeStream {
  const { held, refused } = stream;
  if (!sendsFullState(stream)) {
    const isKnown = [...held.values()].every(({ sent, accepted }) => sent === absent || accepted !== undefined);
    return isKnown ? { ...stream, mayHoldEarlier: false } : stream;
  }
  // The client holds what the response said and nothing else: what was refused before and repeated is taken now.
  const repeated = [...refusedVersions(refused)].filter(({ name }) => !hasLastGood(held.get(name)));
  const taking = repeated.flatMap(({ name }): [string, Held][] => {
    const resource = held.get(name)?.refused;
    return resource === undefined ? [] : [[name, taken(resource)]];
  });
  const keys = repeated.map(({ key }) => key);
  return { ...stream, held: held.with(taking), refused: refused.with({ removed: keys }), mayHoldEarlier: false };
}

/** Which resources a client refuses. */
export interface Blame {
  readonly resources: readonly Resource[];
  /** False when the client's reason names none, so that all that changed stand under suspicion. */
  readonly isNamed: boolean;
}

/** The resources of the response in flight that a client's reason for refusing speaks of. */
export function blamed(stream: TypeStream, reason: string): Blame {
  const changed = stream.inFlight?.changed ?? [];
  const named = [...changed, ...assumedKept(stream, changed)].filter(({ name }) => mentions(reason, name));
  // A response that had to repeat what was refused before (see keptResources) may be refused for that alone.
  const isNamed = named.length > 0 || (takesRest(stream) && namesRefused(stream, changed, reason));
  return { resources: isNamed ? named : changed, isNamed };
}

/** What a full response repeats because the client may have taken it. */
function assumedKept(stream: TypeStream, changed: readonly Resource[]): readonly Resource[] {
  if (!sendsFullState(stream)) return [];
  const changedNames = new Set(changed.map(({ name }) => name));
  return [...stream.held].flatMap(([name, { assumed }]) => (changedNames.has(name) || !assumed ? [] : assumed));
}

/**
 * What is refused must be repeated to a client that may hold an earlier version of it, so the rest would be refused
 * with it for ever. Envoy, for which this is done, takes the rest.
 */
const takesRest = (stream: TypeStream): boolean => stream.mayHoldEarlier && sendsFullState(stream);

/**
 * The client refused the response in flight because of some of its resources, which are not sent again. Whether it
 * took the rest is not known, so that is sent again.
 */
export function refused(stream: TypeStream, { resources, isNamed }: Blame, maxRefusals: number): TypeStream {
  const key = [isNamed, ...resources.map(({ name, version }) => refusalKey(name, version))].join("\n");
  const known = refusedFor(stream);
  const after = known.get(key) ?? newest(refusedNow(stream, { resources, isNamed }), maxRefusals);
  known.set(key, after);
  return after;
}

/** By the culprits: clients that refuse the same for the same reason stay equal. */
const refusedFor = memo((_stream: TypeStream): Map<string, TypeStream> => new Map());

function refusedNow(stream: TypeStream, { resources, isNamed }: Blame): TypeStream {
  const culprits = new Set(resources);
  const changed = stream.inFlight?.changed ?? [];
  const held = new Map<string, Held | undefined>();
  const keys: string[] = [];
  for (const resource of new Set([...changed, ...culprits])) {
    for (const name of knownAs(stream, resource)) {
      const before = stream.held.get(name) ?? { sent: uncertain };
      if (culprits.has(resource)) {
        keys.push(refusalKey(name, resource.version));
        const known = isNamed ? withoutAssumed(before, resource) : before;
        held.set(name, takesRest(stream) ? { ...known, refused: resource } : known);
      } else if (before.sent !== resource.version) held.set(name, before);
      else held.set(name, takesRest(stream) ? taken(resource) : { ...before, sent: uncertain, assumed: resource });
    }
  }
  // A deletion beside a resource at fault is told again with the rest; one that was refused for itself is not.
  const toldAgain = changed.length > 0 && !takesRest(stream) ? [...(stream.inFlight?.removed ?? [])] : [];
  for (const [name, before] of toldAgain) {
    const isAskedMeanwhile = (stream.held.get(name)?.sent ?? absent) !== absent;
    if (isAskedMeanwhile || (before !== undefined && !wants(stream.subscription, name))) continue;
    held.set(name, before === undefined || before.sent === absent ? before : doubted(before));
  }
  const after = answered(stream, held);
  const doubtful = after.doubtful.with({ added: toldAgain.map(([name]) => name) });
  return { ...after, doubtful, refused: stream.refused.with({ added: keys }) };
}

/** What a client refuses by name it did not take before. */
function withoutAssumed({ assumed, ...known }: Held, { version }: Resource): Held {
  return assumed === undefined || assumed.version === version ? known : { ...known, assumed };
}

/** Forgets the oldest refusals over a number. */
function newest(stream: TypeStream, max: number): TypeStream {
  const { refused } = stream;
  return refused.size <= max ? stream : { ...stream, refused: NameSet.of([...refused].slice(-max)) };
}

const hasLastGood = (held: Held | undefined): boolean => held !== undefined && lastGood(held) !== undefined;

/** True when the reason names a resource that was refused before, and that the response could only repeat. */
function namesRefused(stream: TypeStream, changed: readonly Resource[], reason: string): boolean {
  const changedNames = new Set(changed.map(({ name }) => name));
  for (const { name } of refusedVersions(stream.refused)) {
    if (changedNames.has(name) || hasLastGood(stream.held.get(name))) continue;
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
 * What is no longer wanted is forgotten. What a client asks for by name is sent, whether it was sent before or not; and
 * of what a delta client ceases to name under a wildcard, it is told what has become (xDS protocol, "Subscribing to
 * resources" and "Unsubscribing from resources").
 */
export function resubscribed(stream: TypeStream, subscription: Subscription, asked?: Asked): TypeStream {
  const isFirst = stream === newTypeStream(stream.type, stream.variant);
  if (asked === undefined || isFirst) return replacedBy(stream, subscription);
  if (asked.added.length === 0 && asked.removed.length === 0 && subscription === stream.subscription) return stream;
  return renewed(stream, subscription, { ...asked, tellsLeft: true });
}

const replacedBy = memo2((stream: TypeStream, subscription: Subscription): TypeStream => {
  const before = stream.subscription;
  if (subscription === before) return stream;
  const added = [...subscription.names].filter((name) => !before.names.has(name));
  const removed = [...before.names].filter((name) => !subscription.names.has(name));
  return renewed(stream, subscription, { added, removed, tellsLeft: false });
});

function renewed(
  stream: TypeStream,
  subscription: Subscription,
  { added, removed, tellsLeft }: Asked & { readonly tellsLeft: boolean },
): TypeStream {
  const isOther = subscription.wildcard !== stream.subscription.wildcard;
  const held = new Map<string, Held | undefined>();
  const anew = new Set(added);
  const forget = (name: string): void => {
    anew.add(name);
    held.set(name, undefined);
  };
  if (isOther) {
    for (const name of stream.held.keys()) if (!wants(subscription, name)) forget(name);
    for (const { name } of refusedVersions(stream.refused)) if (!wants(subscription, name)) anew.add(name);
  }
  for (const name of removed) {
    const before = stream.held.get(name);
    if (!wants(subscription, name)) forget(name);
    else if (tellsLeft && stream.subscription.names.has(name)) {
      anew.add(name);
      held.set(name, doubted(before ?? toldAbsent));
    } else if (before?.sent === absent) held.set(name, undefined);
  }
  for (const name of added) {
    const before = stream.held.get(name);
    if (before !== undefined) held.set(name, before.sent === absent ? undefined : doubted(before));
  }
  const looked = [...added, ...removed];
  return {
    ...stream,
    subscription,
    held: stream.held.with(held),
    refused: forgiven(stream.refused, anew),
    owed: subscription.wildcard && (stream.owed || !stream.subscription.wildcard),
    level: isOther ? undefined : stream.level,
    doubtful: isOther ? NameSet.empty : stream.doubtful.with({ added: looked }),
  };
}

/** What a client asks for anew it is sent, though it refused it. */
function forgiven(refused: NameSet, names: ReadonlySet<string>): NameSet {
  if (refused.size === 0) return refused;
  const again = [...refusedVersions(refused)].filter(({ name }) => names.has(name));
  return refused.with({ removed: again.map(({ key }) => key) });
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

/** The client waits for these anew, so they count as not sent. */
export const rewarmed = memo2((stream: TypeStream, names: readonly string[]): TypeStream => {
  const stale = names.flatMap((name): [string, Held][] => {
    const before = stream.held.get(name);
    return before === undefined || before.sent === absent ? [] : [[name, doubted(before)]];
  });
  if (stale.length === 0) return stream;
  const doubtful = stream.doubtful.with({ added: stale.map(([name]) => name) });
  return { ...stream, held: stream.held.with(stale), doubtful };
});

/**
 * A stream that holds all that it wants in its newest version is the same object as every other that does. Ways that
 * differed, because one was slow, refused something or came later, meet here again.
 */
function shared(stream: TypeStream): TypeStream {
  const { level, doubtful, inFlight, owed, mayHoldEarlier, held } = stream;
  if (level === undefined || inFlight !== undefined || owed || mayHoldEarlier) return stream;
  if (doubtful.size > 0) return stream;
  for (const [name, { sent, accepted }] of held) {
    const resource = found(stream, level, name);
    if ((resource?.version ?? absent) !== sent || (resource !== undefined && accepted === undefined)) return stream;
  }
  const last = settled(level, stream.subscription);
  const key = `${stream.variant} ${stream.type.typeUrl}`;
  const known = last.get(key);
  if (known?.lastNonce === stream.lastNonce && known.refused.isSame(stream.refused)) return known;
  last.set(key, stream);
  return stream;
}

/** The last one of each variant and type. */
const settled = memo2((_level: ResourceSet, _subscription: Subscription): Map<string, TypeStream> => new Map());
