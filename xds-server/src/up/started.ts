import { describeExit, type Exit } from "../envoy/index.ts";

const shownLines = 10;

/** Something that was started and that should run until it is stopped. */
export interface Part {
  readonly name: string;
  /** Resolves when the part ends; absent for what lives in our own process. */
  readonly exited?: Promise<Exit>;
  recentOutput?(): readonly string[];
  stop(): Promise<void>;
}

/** Everything that was started, in order. It is stopped in the opposite order. */
export class Started {
  readonly #parts: Part[] = [];
  readonly #onEnd: (error: Error) => void;

  /** `onEnd` hears of a part that ended by itself. */
  constructor(onEnd: (error: Error) => void) {
    this.#onEnd = onEnd;
  }

  get isEmpty(): boolean {
    return this.#parts.length === 0;
  }

  add(part: Part): void {
    this.#parts.push(part);
    void part.exited?.then((exit) => {
      if (this.#parts.includes(part)) this.#onEnd(endedByItself(part, exit));
    });
  }

  /** Stops every part, also when one of them fails to stop; the first failure is thrown at the end. */
  async stopAll(): Promise<void> {
    const failures: unknown[] = [];
    for (const part of this.#parts.splice(0).reverse()) {
      await part.stop().catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
  }
}

function endedByItself(part: Part, exit: Exit): Error {
  const lines = (part.recentOutput?.() ?? []).slice(-shownLines).map((line) => `\n  ${line}`);
  const last = lines.length === 0 ? "" : `; its last lines:${lines.join("")}`;
  return new Error(`${part.name} ended by itself (${describeExit(exit)})${last}`);
}
