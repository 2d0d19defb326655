/**
 * Returns the same object for equal values, so that a result remembered for one serves all of them. It references values
 * weakly. When two different values have the same hash, only the newer one is remembered.
 */
export class Interner<T extends object> {
  readonly #known = new Map<number, WeakRef<T>>();
  readonly #forgotten = new FinalizationRegistry<number>((hash) => {
    if (this.#known.get(hash)?.deref() === undefined) this.#known.delete(hash);
  });

  /** Returns the known object of this hash if `isSame` is true for it. Otherwise makes an object and remembers that. */
  intern(hash: number, isSame: (known: T) => boolean, make: () => T): T {
    const known = this.#known.get(hash)?.deref();
    if (known !== undefined && isSame(known)) return known;
    const made = make();
    this.#known.set(hash, new WeakRef(made));
    this.#forgotten.register(made, hash);
    return made;
  }
}
