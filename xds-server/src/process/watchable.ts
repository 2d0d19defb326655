/** A value that changes. `get` returns the newest value, and watchers are called with each later one. */
export interface Watchable<T> {
  get(): T;
  /** Calls the watcher with every later value, until the returned function is called. */
  watch(watcher: (value: T) => void): () => void;
}

/** A Watchable whose owner sets the value. */
export class Value<T> implements Watchable<T> {
  #value: T;
  readonly #watchers = new Set<(value: T) => void>();

  constructor(value: T) {
    this.#value = value;
  }

  get(): T {
    return this.#value;
  }

  set(value: T): void {
    this.#value = value;
    for (const watcher of this.#watchers) watcher(value);
  }

  watch(watcher: (value: T) => void): () => void {
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }
}
