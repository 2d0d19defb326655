/**
 * What a client asks for, of one resource type on one stream.
 * Rules: https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#how-the-client-specifies-what-resources-to-return
 */
export interface Subscription {
  readonly names: ReadonlySet<string>;
  /** True when everything is wanted, whatever `names` holds. */
  readonly wildcard: boolean;
  /** True once the client has named anything, "*" included: an empty list means "nothing" from then on. */
  readonly named: boolean;
}

/** Before the client's first request of the type. */
export const newSubscription: Subscription = { names: new Set(), wildcard: false, named: false };

const WILDCARD = "*";

export function wants({ wildcard, names }: Subscription, name: string): boolean {
  return wildcard || names.has(name);
}

/** State of the world: each request carries the whole list. Nothing ever named and an empty list: everything. */
export function replaced(current: Subscription, list: readonly string[]): Subscription {
  if (list.length === 0) {
    return current.named ? { names: new Set(), wildcard: false, named: true } : { ...current, wildcard: true };
  }
  const names = new Set(list);
  const wildcard = names.delete(WILDCARD);
  return { names, wildcard, named: true };
}

/**
 * Delta: each request carries what was added and what was removed. A first request that names nothing subscribes to
 * everything, and later names add to that; only an explicit removal of "*" ends it.
 */
export function amended(
  current: Subscription,
  { added, removed, first }: { added: readonly string[]; removed: readonly string[]; first: boolean },
): Subscription {
  const legacyWildcard = first && added.length === 0;
  if (added.length === 0 && removed.length === 0) return legacyWildcard ? { ...current, wildcard: true } : current;
  const names = new Set(current.names);
  for (const name of added) names.add(name);
  for (const name of removed) names.delete(name);
  const asked = names.delete(WILDCARD);
  const wildcard = (current.wildcard || legacyWildcard || asked) && !removed.includes(WILDCARD);
  return { names, wildcard, named: true };
}
