import type { ResourceSet, Version } from "../resources/snapshot.ts";
import { Interner } from "./interner.ts";
import { memo, memo2 } from "./memo.ts";
import { hashOf, NameSet } from "./name-set.ts";
import { type Subscription, wants } from "./subscription.ts";
import {
  absent,
  dueAgain,
  type Held,
  heldAfterAck,
  type InFlight,
  newTypeStream,
  rejectedVersions,
  reportedAbsent,
  type TypeStream,
} from "./type-stream.ts";
import { found } from "./update-due.ts";

/** What a delta client named in one request. */
export interface NameChanges {
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

/**
 * What is no longer wanted is forgotten. What a client asks for by name is sent, whether it was sent before or not; and
 * of what a delta client ceases to name under a wildcard, it is told what has become (xDS protocol, "Subscribing to
 * resources" and "Unsubscribing from resources").
 */
export function resubscribed(stream: TypeStream, subscription: Subscription, changes?: NameChanges): TypeStream {
  const isFirst = stream === newTypeStream(stream.type, stream.variant);
  if (changes === undefined || isFirst) return resubscribedSotw(stream, subscription);
  if (changes.added.length === 0 && changes.removed.length === 0 && subscription === stream.subscription) return stream;
  return withSubscription(stream, subscription, { ...changes, resendsUnsubscribed: true });
}

const resubscribedSotw = memo2((stream: TypeStream, subscription: Subscription): TypeStream => {
  const before = stream.subscription;
  if (subscription === before) return stream;
  const added = [...subscription.names].filter((name) => !before.names.has(name));
  const removed = [...before.names].filter((name) => !subscription.names.has(name));
  return withSubscription(stream, subscription, { added, removed, resendsUnsubscribed: false });
});

function withSubscription(
  stream: TypeStream,
  subscription: Subscription,
  { added, removed, resendsUnsubscribed }: NameChanges & { readonly resendsUnsubscribed: boolean },
): TypeStream {
  const wildcardChanges = subscription.wildcard !== stream.subscription.wildcard;
  const held = new Map<string, Held | undefined>();
  const resetNames = new Set(added);
  const forget = (name: string): void => {
    resetNames.add(name);
    held.set(name, undefined);
  };
  if (wildcardChanges) {
    for (const name of stream.held.keys()) if (!wants(subscription, name)) forget(name);
    for (const { name } of rejectedVersions(stream.rejected)) if (!wants(subscription, name)) resetNames.add(name);
  }
  for (const name of removed) {
    const before = stream.held.get(name);
    if (!wants(subscription, name)) forget(name);
    else if (resendsUnsubscribed && stream.subscription.names.has(name)) {
      resetNames.add(name);
      held.set(name, dueAgain(before ?? reportedAbsent));
    } else if (before?.sent === absent) held.set(name, undefined);
  }
  for (const name of added) {
    const before = stream.held.get(name);
    if (before !== undefined) held.set(name, before.sent === absent ? undefined : dueAgain(before));
  }
  const changedNames = [...added, ...removed];
  return {
    ...stream,
    subscription,
    held: stream.held.with(held),
    rejected: withoutRejectionsOf(stream.rejected, resetNames),
    inFlight: stream.inFlight && withWantedRemovals(stream.inFlight, subscription),
    owed: subscription.wildcard && (stream.owed || !stream.subscription.wildcard),
    comparedWith: wildcardChanges ? undefined : stream.comparedWith,
    unsettled: wildcardChanges ? NameSet.empty : stream.unsettled.with({ added: changedNames }),
  };
}

/** Of what the client ceases to want, it need not be told again that it is gone, should it reject the response. */
function withWantedRemovals(inFlight: InFlight, subscription: Subscription): InFlight {
  if (inFlight.removed.size === 0) return inFlight;
  return { ...inFlight, removed: new Map([...inFlight.removed].filter(([name]) => wants(subscription, name))) };
}

/** What a client asks for anew it is sent, though it rejected it. */
function withoutRejectionsOf(rejected: NameSet, names: ReadonlySet<string>): NameSet {
  if (rejected.size === 0) return rejected;
  const reset = [...rejectedVersions(rejected)].filter(({ name }) => names.has(name));
  return rejected.with({ removed: reset.map(({ key }) => key) });
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
      held.set(name, resource?.version === version ? heldAfterAck(resource) : { sent: version });
    }
    const isKnown = [...held.values()].every(({ accepted }) => accepted !== undefined);
    return { ...stream, held: stream.held.with(held), owed: false, mayHoldEarlier: !isKnown, comparedWith: undefined };
  }),
);
