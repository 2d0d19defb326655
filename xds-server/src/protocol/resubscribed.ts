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

/** The names in one delta request. */
export interface NameChanges {
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

/**
 * The stream after a request with this subscription. Names that are no longer wanted are forgotten. Each name that the
 * request adds is sent, even if it was sent before. When a delta client with a wildcard unsubscribes from a name, the
 * current state of that name is sent again (xDS protocol, "Subscribing to resources" and "Unsubscribing from resources").
 */
export function resubscribed(stream: TypeStream, subscription: Subscription, changes?: NameChanges): TypeStream {
  const isFirst = stream === newTypeStream(stream.type, stream.variant);
  if (changes === undefined || isFirst) return replacedSubscription(stream, subscription);
  if (changes.added.length === 0 && changes.removed.length === 0 && subscription === stream.subscription) return stream;
  return withSubscription(stream, subscription, { ...changes, resendsUnsubscribed: true });
}

/** The stream after a whole new subscription. The changed names are found by comparison, once for all equal streams. */
const replacedSubscription = memo2((stream: TypeStream, subscription: Subscription): TypeStream => {
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

/** Drops the removals of names that are no longer wanted: they are not sent again if the client rejects the response. */
function withWantedRemovals(inFlight: InFlight, subscription: Subscription): InFlight {
  if (inFlight.removed.size === 0) return inFlight;
  return { ...inFlight, removed: new Map([...inFlight.removed].filter(([name]) => wants(subscription, name))) };
}

/** Re-subscribing to a name sends it again, even after a NACK. */
function withoutRejectionsOf(rejected: NameSet, names: ReadonlySet<string>): NameSet {
  if (rejected.size === 0) return rejected;
  const reset = [...rejectedVersions(rejected)].filter(({ name }) => names.has(name));
  return rejected.with({ removed: reset.map(({ key }) => key) });
}

/** The versions that a client holds from an earlier stream, by name. Equal maps are the same object. */
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

/** The stream of a client that reconnects and lists the versions that it holds. It is sent only the difference. */
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
