/** A value that changes. `get` returns the newest value, and watchers are called with each later one. */
export interface Watchable<T> {
  get(): T;
  /** Calls the watcher with every later value, until the returned function is called. */
  watch(watcher: (value: T) => void): () => void;
}

/**
 * A Watchable whose owner sets the value. Every watcher is called with each value once and in order: a value that a watcher
 * sets comes after the present one, and a watcher that throws does not stop the others.
 */
export class Value<T> implements Watchable<T> {
  #value: T;
  readonly #watchers = new Set<(value: T) => void>();
  /** Values that not all watchers have received yet. The first is the present one. */
  readonly #pending: T[] = [];

  constructor(value: T) {
    this.#value = value;
  }

  get(): T {
    return this.#value;
  }

  /** Calls all watchers, and then throws the errors that they threw. */
  set(value: T): void {
    this.#value = value;
    this.#pending.push(value);
    if (this.#pending.length > 1) return;
    const errors: unknown[] = [];
    for (const pending of this.#pending) errors.push(...this.#notify(pending));
    this.#pending.length = 0;
    if (errors.length > 1) throw new AggregateError(errors, "Several watchers failed");
    if (errors.length === 1) throw errors[0];
  }

  watch(watcher: (value: T) => void): () => void {
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }

  #notify(value: T): readonly unknown[] {
    const errors: unknown[] = [];
    for (const watcher of this.#watchers) {
      try {
        watcher(value);
      } catch (error) {
        errors.push(error);
      }
    }
    return errors;
  }
}
