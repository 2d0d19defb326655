/**
 * Makes a pure function remember its result for each argument. Streams in the same state share one object, so a result
 * computed for one of them serves all. A push therefore costs one computation for each group of equal subscriptions, not
 * one for each stream. A result lives as long as the object that it was computed from.
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

/** The same for a function of two objects: it remembers a result for each pair. */
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
