/**
 * An immutable map whose changed copy costs about the square root of its size: a large layer that copies share, and a
 * small one of what differs. A client with 100,000 names that asks for one more must not cost a copy of them all.
 * Values are never undefined; that stands for "not there".
 */
export class LayeredMap<K, V> {
  readonly #base: ReadonlyMap<K, V>;
  /** What differs from `#base`; undefined for what was taken out of it. */
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

  /** The map itself, which nobody else may change from now on. */
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

  /** A copy with these set, or taken out where the value is undefined. */
  with(changes: Iterable<readonly [K, V | undefined]>): LayeredMap<K, V> {
    let top: Map<K, V | undefined> | undefined;
    let { size } = this;
    for (const [key, value] of changes) {
      // What these changes have taken out of the small layer is not looked for in that of before.
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

/** Up to here the small layer is never merged into the large one, which would cost more than it saves. */
const smallestMerged = 16;

function merged<K, V>(base: ReadonlyMap<K, V>, top: ReadonlyMap<K, V | undefined>): LayeredMap<K, V> {
  // Nothing is taken out of what is empty, so all of these have a value.
  if (base.size === 0) return LayeredMap.owning(top as ReadonlyMap<K, V>);
  const next = new Map(base);
  for (const [key, value] of top) {
    if (value === undefined) next.delete(key);
    else next.set(key, value);
  }
  return LayeredMap.owning(next);
}
