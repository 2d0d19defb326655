/**
 * How long work may go on before the event loop has its turn, in milliseconds. What Node does for it afterwards, to write what
 * was sent and to read what is answered, takes four times as long. Before the first turn nothing was sent that is answered yet.
 */
const turnMs = { first: 10, next: 4 };
/** More than so much work does not fit into one turn, so the first one need not be long. */
const fitsAtOnce = 2_000;

/**
 * Shares out the event loop. When a thousand clients come at once, Node hands over what all of them said before it writes
 * a byte of an answer or looks at a timer; so what takes too long together waits for the loop's next turn, first come first served.
 */
export class Turns {
  readonly #waiting: (() => void)[] = [];
  #turnEnds: number | undefined;

  /** Does the work now, or when its turn has come. */
  take(work: () => void): void {
    this.#turnEnds ??= this.#begin(turnMs.first);
    if (this.#waiting.length > 0 || this.#isOver) this.#waiting.push(work);
    else work();
  }

  /** The same for much work at once, in order. */
  takeAll(works: readonly (() => void)[]): void {
    if (works.length > fitsAtOnce) this.#turnEnds ??= this.#begin(turnMs.next);
    for (const work of works) this.take(work);
  }

  /** The same for work whose outcome is waited for. */
  run<T>(work: () => T): Promise<T> {
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
    this.#turnEnds = this.#begin(turnMs.next);
    let done = 0;
    for (const work of this.#waiting) {
      work();
      done += 1;
      if (this.#isOver) break;
    }
    this.#waiting.splice(0, done);
  }
}
