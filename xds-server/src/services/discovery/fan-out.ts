import type { Turns } from "../../process/turns.ts";
import type { Watchable } from "../../process/watchable.ts";

/** Tells many followers of each new value, in turns, so that however many they are nothing else waits long. */
export interface FanOut {
  /** Calls the follower after each new value, until the returned function is called. It reads the value itself, which may be newer. */
  follow(follower: () => void): () => void;
  close(): void;
}

export function fanOut(source: Watchable<unknown>, turns: Turns): FanOut {
  /** What tells each follower. */
  const followers = new Map<() => void, () => void>();
  /** Those not told of the newest value yet. Who waits for one that was before it keeps its place. */
  const behind = new Set<() => void>();
  const unwatch = source.watch(() => {
    const news = [...followers].filter(([follower]) => !behind.has(follower));
    for (const [follower] of news) behind.add(follower);
    turns.takeAll(news.map(([, tell]) => tell));
  });
  return {
    follow(follower) {
      followers.set(follower, () => {
        if (behind.delete(follower)) follower();
      });
      return () => {
        followers.delete(follower);
        behind.delete(follower);
      };
    },
    close() {
      unwatch();
      behind.clear();
    },
  };
}
