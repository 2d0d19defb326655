/**
 * Pure functions that remember what they gave for an object. Streams that were told the same hold the same state, so
 * what one of them needed was worked out for all: this is what makes a push cost one computation for a group of equal
 * subscriptions and not one for each stream. Results live as long as what they were computed from.
 */
export function memo<A extends object, R extends object>(compute: (a: A) => R): (a: A) => R {
  const results = new WeakMap<A, R>();
  return (a) => {
    const known = results.get(a);
    if (known !== undefined) return known;
    const result = compute(a);
    results.set(a, result);
    return result;
  };
}

/** The same for two objects: results are remembered for each pair. */
export function memo2<A extends object, B extends object, R extends object>(
  compute: (a: A, b: B) => R,
): (a: A, b: B) => R {
  const results = memo<A, WeakMap<B, R>>(() => new WeakMap());
  return (a, b) => {
    const known = results(a).get(b);
    if (known !== undefined) return known;
    const result = compute(a, b);
    results(a).set(b, result);
    return result;
  };
}
