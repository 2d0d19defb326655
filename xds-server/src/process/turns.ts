/**
 * How long work runs before the event loop continues, in milliseconds. After the work, Node writes the messages and reads the
 * answers, which takes four times as long. The first turn can be longer, because no answers have arrived yet.
 */
const firstTurnMs = 10;
const nextTurnMs = 4;
/** More pieces of work than this do not fit into one turn. The first turn is then as short as the others. */
const fitsAtOnce = 2_000;

/**
 * Shares the event loop. When a thousand clients connect at once, Node delivers all their requests before it writes any
 * response or runs any timer. So work that exceeds the time of a turn waits for a later turn of the event loop, in order.
 */
export class Turns {
  readonly #waiting: (() => void)[] = [];
  #turnEnds: number | undefined;

  /** Runs the work now, or in a later turn. */
  take(work: () => void): void {
    this.#turnEnds ??= this.#begin(firstTurnMs);
    if (this.#waiting.length > 0 || this.#isOver) this.#waiting.push(work);
    else work();
  }

  /** Runs many pieces of work in order, now or in later turns. */
  takeAll(works: readonly (() => void)[]): void {
    if (works.length > fitsAtOnce) this.#turnEnds ??= this.#begin(nextTurnMs);
    for (const work of works) this.take(work);
  }

  /** Runs the work now or in a later turn, and resolves to its result. */
  run<T>(work: () => T | Promise<T>): Promise<T> {
    const attempt = async (): Promise<T> => work();
    return new Promise((resolve) => this.take(() => resolve(attempt())));
  }

  get #isOver(): boolean {
    return this.#turnEnds !== undefined && performance.now() > this.#turnEnds;
  }

  #begin(milliseconds: number): number {
    setImmediate(() => this.#next());
    return performance.now() + milliseconds;
  }

  #next(): void {
    this.#turnEnds = undefined;
    if (this.#waiting.length === 0) return;
    this.#turnEnds = this.#begin(nextTurnMs);
    let done = 0;
    for (const work of this.#waiting) {
      work();
      done += 1;
      if (this.#isOver) break;
    }
    this.#waiting.splice(0, done);
  }
}
