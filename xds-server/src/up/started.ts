import { describeExit, type Exit } from "../envoy/index.ts";

const shownLines = 10;

/** A started part that should run until it is stopped. */
export interface Part {
  readonly name: string;
  /** Resolves when the part ends. Absent for a part in this process. */
  readonly exited?: Promise<Exit>;
  recentOutput?(): readonly string[];
  stop(): Promise<void>;
}

/** All started parts. They are stopped in the opposite order of their start. */
export class Started {
  readonly #parts: Part[] = [];
  readonly #onEnd: (error: Error) => void;

  /** Calls `onEnd` when a part ends by itself. */
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

  /** Stops every part, even when one of them fails to stop. Then throws the first failure. */
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
