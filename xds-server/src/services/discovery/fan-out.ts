import type { Turns } from "../../process/turns.ts";
import type { Watchable } from "../../process/watchable.ts";

/** Notifies many subscribers of each new value, in turns, so that other work never waits for all of them. */
export interface FanOut {
  /**
   * Calls the subscriber after each new value, until the returned function is called. The subscriber reads the value itself,
   * which may be newer than the one it is called for.
   */
  subscribe(subscriber: () => void): () => void;
  close(): void;
}

export function fanOut(source: Watchable<unknown>, turns: Turns): FanOut {
  /** For each subscriber, the function that notifies it. */
  const notifiers = new Map<() => void, () => void>();
  /** Subscribers still to be notified. A pending subscriber keeps its place in the queue. */
  const pending = new Set<() => void>();
  const unwatch = source.watch(() => {
    const added = [...notifiers].filter(([subscriber]) => !pending.has(subscriber));
    for (const [subscriber] of added) pending.add(subscriber);
    turns.takeAll(added.map(([, notify]) => notify));
  });
  return {
    subscribe(subscriber) {
      notifiers.set(subscriber, () => {
        if (pending.delete(subscriber)) subscriber();
      });
      return () => {
        notifiers.delete(subscriber);
        pending.delete(subscriber);
      };
    },
    close() {
      unwatch();
      pending.clear();
    },
  };
}
