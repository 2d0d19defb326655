import { LayeredMap } from "./layered-map.ts";

/** An immutable set of names. It has a hash of its content, so that an equal set is found without comparing with all. */
export class NameSet {
  static readonly empty: NameSet = new NameSet(LayeredMap.of(), 0);
  readonly #names: LayeredMap<string, true>;
  /** The same for the same names in any order. Different sets may have the same hash. */
  readonly hash: number;

  private constructor(names: LayeredMap<string, true>, hash: number) {
    this.#names = names;
    this.hash = hash;
  }

  static of(names: Iterable<string>): NameSet {
    const entries = new Map<string, true>();
    let hash = 0;
    for (const name of names) {
      if (entries.has(name)) continue;
      entries.set(name, true);
      hash = (hash + hashOf(name)) | 0;
    }
    return entries.size === 0 ? NameSet.empty : new NameSet(LayeredMap.owning(entries), hash);
  }

  get size(): number {
    return this.#names.size;
  }

  has(name: string): boolean {
    return this.#names.has(name);
  }

  [Symbol.iterator](): IterableIterator<string> {
    return this.#names.keys();
  }

  with({ added = [], removed = [] }: { added?: Iterable<string>; removed?: Iterable<string> }): NameSet {
    if (this.size === 0) return NameSet.of(without(added, new Set(removed)));
    const changes = new Map<string, true | undefined>();
    for (const name of added) changes.set(name, true);
    for (const name of removed) changes.set(name, undefined);
    const names = this.#names.with(changes);
    if (names === this.#names) return this;
    if (names.size === 0) return NameSet.empty;
    let { hash } = this;
    for (const [name, isAdded] of changes) {
      if (this.has(name) === (isAdded ?? false)) continue;
      hash = (isAdded ? hash + hashOf(name) : hash - hashOf(name)) | 0;
    }
    return new NameSet(names, hash);
  }

  isSame(other: NameSet): boolean {
    if (other.size !== this.size || other.hash !== this.hash) return false;
    for (const name of other) if (!this.has(name)) return false;
    return true;
  }
}

function* without(names: Iterable<string>, others: ReadonlySet<string>): Iterable<string> {
  for (const name of names) if (!others.has(name)) yield name;
}

/** FNV-1a over UTF-16 code units: fast and well distributed. A forged collision only prevents sharing. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash | 0;
}
