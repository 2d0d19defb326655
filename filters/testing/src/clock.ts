interface Timer {
  readonly atMs: number;
  readonly ring: () => void;
}

/** A clock that stands still until a test advances it. */
export class Clock {
  readonly #startedAt: number;
  #elapsedMs = 0;
  #timers: Timer[] = [];

  constructor(startedAt: Date) {
    this.#startedAt = startedAt.getTime();
  }

  get date(): Date {
    return new Date(this.#startedAt + this.#elapsedMs);
  }

  /** Nanoseconds since 1970. */
  get nanoseconds(): bigint {
    return BigInt(Math.round((this.#startedAt + this.#elapsedMs) * 1e6));
  }

  /** Nanoseconds since the clock was created. */
  get elapsedNanoseconds(): bigint {
    return BigInt(Math.round(this.#elapsedMs * 1e6));
  }

  /** Calls `ring` once, after the delay. The result cancels it. */
  after(delayMs: number, ring: () => void): () => void {
    const timer = { atMs: this.#elapsedMs + delayMs, ring };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Advances the clock. Each timer that is due rings at its own time, and `settle` runs before the next one. */
  advance(byMs: number, settle: () => void): void {
    const until = this.#elapsedMs + byMs;
    for (let timer = this.#next(until); timer !== undefined; timer = this.#next(until)) {
      this.#timers.splice(this.#timers.indexOf(timer), 1);
      this.#elapsedMs = timer.atMs;
      timer.ring();
      settle();
    }
    this.#elapsedMs = until;
  }

  #next(until: number): Timer | undefined {
    const due = this.#timers.filter(({ atMs }) => atMs <= until);
    return due.reduce<Timer | undefined>(
      (first, timer) => (first && first.atMs <= timer.atMs ? first : timer),
      undefined,
    );
  }
}
