/**
 * An immutable map. A changed copy costs about the square root of the map's size: copies share a large base layer, and a
 * small top layer holds the differences. So one more name for a client with 100,000 names does not copy all of them.
 * Values are never undefined; undefined means that the key is absent.
 */
export class LayeredMap<K, V> {
  readonly #base: ReadonlyMap<K, V>;
  /** The differences from `#base`; undefined for a removed key. */
  readonly #top: ReadonlyMap<K, V | undefined>;
  readonly size: number;

  private constructor(base: ReadonlyMap<K, V>, top: ReadonlyMap<K, V | undefined>, size: number) {
    this.#base = base;
    this.#top = top;
    this.size = size;
  }

  static of<K, V>(entries: Iterable<readonly [K, V]> = []): LayeredMap<K, V> {
    return LayeredMap.owning(new Map(entries));
  }

  /** Uses the given map without copying it. The caller must not change it afterwards. */
  static owning<K, V>(base: ReadonlyMap<K, V>): LayeredMap<K, V> {
    return new LayeredMap<K, V>(base, new Map(), base.size);
  }

  get(key: K): V | undefined {
    return this.#top.size > 0 && this.#top.has(key) ? this.#top.get(key) : this.#base.get(key);
  }

  has(key: K): boolean {
    return this.get(key) !== undefined;
  }

  *[Symbol.iterator](): IterableIterator<[K, V]> {
    if (this.#top.size === 0) return yield* this.#base;
    for (const entry of this.#base) if (!this.#top.has(entry[0])) yield entry;
    for (const [key, value] of this.#top) if (value !== undefined) yield [key, value];
  }

  *keys(): IterableIterator<K> {
    for (const [key] of this) yield key;
  }

  *values(): IterableIterator<V> {
    for (const [, value] of this) yield value;
  }

  /** A copy with these entries set, or removed where the value is undefined. */
  with(changes: Iterable<readonly [K, V | undefined]>): LayeredMap<K, V> {
    let top: Map<K, V | undefined> | undefined;
    let { size } = this;
    for (const [key, value] of changes) {
      // Once there is a new top layer, the former one is outdated: the key may just have been removed.
      const before = top === undefined ? this.get(key) : top.has(key) ? top.get(key) : this.#base.get(key);
      if (before === value) continue;
      if (before === undefined) size += 1;
      else if (value === undefined) size -= 1;
      top ??= new Map(this.#top);
      if (value === undefined && !this.#base.has(key)) top.delete(key);
      else top.set(key, value);
    }
    if (top === undefined) return this;
    const isLarge = top.size ** 2 > smallestMerged ** 2 + this.#base.size;
    return isLarge ? merged(this.#base, top) : new LayeredMap(this.#base, top, size);
  }
}

/** A top layer of up to this size is never merged into the base: that would cost more than it saves. */
const smallestMerged = 16;

function merged<K, V>(base: ReadonlyMap<K, V>, top: ReadonlyMap<K, V | undefined>): LayeredMap<K, V> {
  // Nothing can be removed from an empty base, so every value is defined.
  if (base.size === 0) return LayeredMap.owning(top as ReadonlyMap<K, V>);
  const next = new Map(base);
  for (const [key, value] of top) {
    if (value === undefined) next.delete(key);
    else next.set(key, value);
  }
  return LayeredMap.owning(next);
}
