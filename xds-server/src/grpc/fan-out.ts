import type { Watchable } from "../watchable.ts";

/** How long the followers may be told without a break, in milliseconds. In a break, requests are read and responses written. */
const sliceMs = 10;

/** Tells many followers of each new value, a slice at a time, so that however many they are nothing else waits long. */
export interface FanOut {
  /** Calls the follower after each new value, until the returned function is called. It reads the value itself, which may be newer. */
  follow(follower: () => void): () => void;
  close(): void;
}

export function fanOut(source: Watchable<unknown>): FanOut {
  const followers = new Set<() => void>();
  /** Those not told of the newest value yet. Who waits for one that was before it keeps its place. */
  const behind = new Set<() => void>();
  let next: NodeJS.Immediate | undefined;

  const tell = (): void => {
    next = undefined;
    const started = performance.now();
    for (const follower of behind) {
      behind.delete(follower);
      follower();
      if (performance.now() - started < sliceMs) continue;
      if (behind.size > 0) next = setImmediate(tell);
      return;
    }
  };
  const unwatch = source.watch(() => {
    for (const follower of followers) behind.add(follower);
    if (next === undefined) tell();
  });
  return {
    follow(follower) {
      followers.add(follower);
      return () => {
        followers.delete(follower);
        behind.delete(follower);
      };
    },
    close() {
      unwatch();
      clearImmediate(next);
    },
  };
}
