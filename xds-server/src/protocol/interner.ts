/**
 * Gives equal values the same object, so that what is remembered for one is remembered for all. Knows a value only as
 * long as somebody else does. Two values of one hash that differ stay two objects; only the newer is shared then.
 */
export class Interner<T extends object> {
  readonly #known = new Map<number, WeakRef<T>>();
  readonly #forgotten = new FinalizationRegistry<number>((hash) => {
    if (this.#known.get(hash)?.deref() === undefined) this.#known.delete(hash);
  });

  /** The known object of this hash for which `isSame` holds, or what `make` gives, known from now on. */
  intern(hash: number, isSame: (known: T) => boolean, make: () => T): T {
    const known = this.#known.get(hash)?.deref();
    if (known !== undefined && isSame(known)) return known;
    const made = make();
    this.#known.set(hash, new WeakRef(made));
    this.#forgotten.register(made, hash);
    return made;
  }
}
