/** How long work may go on before the event loop has its turn, in milliseconds. */
const turnMs = 10;

/**
 * Shares out the event loop. When a thousand clients come at once, Node hands over what all of them said before it writes
 * a byte of an answer or looks at a timer; so what takes too long together waits for the loop's next turn, first come first served.
 */
export class Turns {
  readonly #waiting: (() => void)[] = [];
  #turnBegan: number | undefined;

  /** Does the work now, or when its turn has come. */
  take(work: () => void): void {
    this.#turnBegan ??= this.#begin();
    if (this.#waiting.length > 0 || this.#isOver) this.#waiting.push(work);
    else work();
  }

  get #isOver(): boolean {
    return this.#turnBegan !== undefined && performance.now() - this.#turnBegan > turnMs;
  }

  #begin(): number {
    setImmediate(() => this.#next());
    return performance.now();
  }

  #next(): void {
    this.#turnBegan = undefined;
    if (this.#waiting.length === 0) return;
    this.#turnBegan = this.#begin();
    let done = 0;
    for (const work of this.#waiting) {
      work();
      done += 1;
      if (this.#isOver) break;
    }
    this.#waiting.splice(0, done);
  }
}
