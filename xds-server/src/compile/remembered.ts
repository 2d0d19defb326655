/**
 * A function that remembers its last result for each first argument. It returns that result again while the other
 * arguments are the same objects. A result is kept as long as its first argument.
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
