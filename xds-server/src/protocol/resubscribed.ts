import type { ResourceSet, Version } from "../resources/snapshot.ts";
import { Interner } from "./interner.ts";
import { memo, memo2 } from "./memo.ts";
import { hashOf, NameSet } from "./name-set.ts";
import { type Subscription, wants } from "./subscription.ts";
import {
  absent,
  doubted,
  type Held,
  type InFlight,
  newTypeStream,
  rejectedVersions,
  type TypeStream,
  taken,
  toldAbsent,
} from "./type-stream.ts";
import { found } from "./update-due.ts";

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
    for (const { name } of rejectedVersions(stream.rejected)) if (!wants(subscription, name)) anew.add(name);
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
    rejected: forgiven(stream.rejected, anew),
    inFlight: stream.inFlight && stillWanted(stream.inFlight, subscription),
    owed: subscription.wildcard && (stream.owed || !stream.subscription.wildcard),
    level: isOther ? undefined : stream.level,
    doubtful: isOther ? NameSet.empty : stream.doubtful.with({ added: looked }),
  };
}

/** Of what the client ceases to want, it need not be told again that it is gone, should it reject the response. */
function stillWanted(inFlight: InFlight, subscription: Subscription): InFlight {
  if (inFlight.removed.size === 0) return inFlight;
  return { ...inFlight, removed: new Map([...inFlight.removed].filter(([name]) => wants(subscription, name))) };
}

/** What a client asks for anew it is sent, though it rejected it. */
function forgiven(rejected: NameSet, names: ReadonlySet<string>): NameSet {
  if (rejected.size === 0) return rejected;
  const again = [...rejectedVersions(rejected)].filter(({ name }) => names.has(name));
  return rejected.with({ removed: again.map(({ key }) => key) });
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
