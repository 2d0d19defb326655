interface Timer {
  readonly atMs: number;
  readonly ring: () => void;
}

/** Time that stands still until a test moves it. */
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

  /** Since 1970. */
  get nanoseconds(): bigint {
    return BigInt(Math.round((this.#startedAt + this.#elapsedMs) * 1e6));
  }

  /** Since the clock was made. */
  get elapsedNanoseconds(): bigint {
    return BigInt(Math.round(this.#elapsedMs * 1e6));
  }

  /** Rings once, after so long; the answer calls it off. */
  after(delayMs: number, ring: () => void): () => void {
    const timer = { atMs: this.#elapsedMs + delayMs, ring };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Moves on; what is due on the way happens at its own time, and what follows from it before the next. */
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
