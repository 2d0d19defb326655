const keptLineChars = 2_000;

/** Keeps the newest lines of a stream of text. */
export class RecentLines {
  readonly #lines: string[] = [];
  readonly #limit: number;
  #unfinished = "";

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Adds a piece of text, which may end within a line. */
  push(text: string): void {
    const lines = (this.#unfinished + text).split("\n");
    this.#unfinished = (lines.pop() ?? "").slice(0, keptLineChars);
    for (const line of lines) this.#lines.push(line.slice(0, keptLineChars));
    this.#lines.splice(0, this.#lines.length - this.#limit);
  }

  all(): readonly string[] {
    return this.#unfinished === "" ? [...this.#lines] : [...this.#lines, this.#unfinished];
  }
}
