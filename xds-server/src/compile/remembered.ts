/**
 * A function that remembers, for each first argument, its last result, and gives it again while the other arguments
 * are the same objects. Results live as long as their first argument.
 */
export function remembered<K extends object, Rest extends readonly unknown[], R>(
  build: (key: K, ...rest: Rest) => R,
): (key: K, ...rest: Rest) => R {
  const results = new WeakMap<K, { readonly rest: Rest; readonly result: R }>();
  return (key, ...rest) => {
    const known = results.get(key);
    if (known !== undefined && sameItems(known.rest, rest)) return known.result;
    const result = build(key, ...rest);
    results.set(key, { rest, result });
    return result;
  };
}

const sameItems = (some: readonly unknown[], others: readonly unknown[]): boolean =>
  some.length === others.length && some.every((item, index) => item === others[index]);
