import { Interner } from "./interner.ts";
import { hashOf, NameSet } from "./name-set.ts";

/**
 * The names that a client wants of one resource type on one stream. Immutable. Equal subscriptions are the same object.
 * Rules: https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#how-the-client-specifies-what-resources-to-return
 */
export interface Subscription {
  readonly names: NameSet;
  /** True when the client wants all resources of the type, whatever `names` holds. */
  readonly wildcard: boolean;
  /** True once the client has named anything, "*" included. From then on, an empty list means "nothing". */
  readonly named: boolean;
}

const known = new Interner<Subscription>();

function interned(subscription: Subscription): Subscription {
  const { names, wildcard, named } = subscription;
  const isSame = (other: Subscription): boolean =>
    other.wildcard === wildcard && other.named === named && other.names.isSame(names);
  return known.intern(hashed(names.hash, wildcard, named), isSame, () => subscription);
}

const hashed = (names: number, wildcard: boolean, named: boolean): number =>
  (names * 4 + (wildcard ? 2 : 0) + (named ? 1 : 0)) | 0;

/** The subscription before the client's first request of the type. */
export const newSubscription: Subscription = interned({ names: NameSet.empty, wildcard: false, named: false });

const WILDCARD = "*";

export function wants({ wildcard, names }: Subscription, name: string): boolean {
  return wildcard || names.has(name);
}

/** State of the world: each request carries the whole list. An empty list means everything until a name was given. */
export function replaced(current: Subscription, list: readonly string[]): Subscription {
  if (list.length === 0) {
    return interned(
      current.named ? { names: NameSet.empty, wildcard: false, named: true } : { ...current, wildcard: true },
    );
  }
  const names = new Set(list);
  const wildcard = names.delete(WILDCARD);
  return internedNames(names, wildcard);
}

/** Builds the subscription only when it is not known. Most lists are known, and comparing costs less than building. */
function internedNames(names: ReadonlySet<string>, wildcard: boolean): Subscription {
  let hash = 0;
  for (const name of names) hash = (hash + hashOf(name)) | 0;
  const isSame = (other: Subscription): boolean => {
    if (other.wildcard !== wildcard || !other.named || other.names.size !== names.size) return false;
    for (const name of names) if (!other.names.has(name)) return false;
    return true;
  };
  return known.intern(hashed(hash, wildcard, true), isSame, () => ({
    names: NameSet.of(names),
    wildcard,
    named: true,
  }));
}

/**
 * Delta: each request carries the added and the removed names. A first request without names subscribes to everything.
 * Later names are added to that. Only an explicit removal of "*" ends it.
 */
export function amended(
  current: Subscription,
  { added, removed, first }: { added: readonly string[]; removed: readonly string[]; first: boolean },
): Subscription {
  const legacyWildcard = first && added.length === 0;
  if (added.length === 0 && removed.length === 0) {
    return legacyWildcard ? interned({ ...current, wildcard: true }) : current;
  }
  const addsWildcard = added.includes(WILDCARD);
  const removesWildcard = removed.includes(WILDCARD);
  const wildcard = (current.wildcard || legacyWildcard || addsWildcard) && !removesWildcard;
  if (current.names.size === 0 && removed.length === 0) {
    const names = new Set(added);
    names.delete(WILDCARD);
    return internedNames(names, wildcard);
  }
  const names = current.names.with({
    added,
    removed: addsWildcard || removesWildcard ? [...removed, WILDCARD] : removed,
  });
  return interned({ names, wildcard, named: true });
}
