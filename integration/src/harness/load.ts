import { Agent, get } from "node:http";

const everyMs = 5;
const maxInFlight = 200;

/** Requests at a steady 200 a second over connections that are kept, to one address after another, as long as it is not stopped. */
export class Load implements AsyncDisposable {
  readonly #urls: URL[];
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 16 });
  readonly #answers = new Map<string, number>();
  readonly #failures: string[] = [];
  readonly #timer: NodeJS.Timeout;
  #inFlight = 0;
  #asked = 0;
  #drained = (): void => {};

  constructor(...urls: readonly string[]) {
    this.#urls = urls.map((url) => new URL(url));
    this.#timer = setInterval(() => this.#ask(), everyMs);
  }

  /** How often a text was the answer so far. */
  answered(text: string): number {
    return this.#answers.get(text) ?? 0;
  }

  /** Everything that was not answered with 200. */
  get failures(): readonly string[] {
    return this.#failures;
  }

  /** Ends it, and waits for the last answers. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#drained = resolve;
    if (this.#inFlight > 0) await promise;
    this.#agent.destroy();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #ask(): void {
    // Requests that pile up are a failure too, and must not fill the memory.
    if (this.#inFlight >= maxInFlight) {
      clearInterval(this.#timer);
      this.#failures.push(`${maxInFlight} requests without an answer`);
      return;
    }
    this.#inFlight += 1;
    const url = this.#urls[this.#asked++ % this.#urls.length] as URL;
    const sent = get(url, { agent: this.#agent, timeout: 10_000 }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (piece: string) => {
        text += piece;
      });
      answer.on("error", (error) => this.#end(error.message));
      answer.on("end", () => {
        if (answer.statusCode === 200) this.#answers.set(text, this.answered(text) + 1);
        this.#end(answer.statusCode === 200 ? undefined : `${answer.statusCode} ${text}`);
      });
    });
    sent.on("timeout", () => sent.destroy(new Error("no answer in 10 s")));
    sent.on("error", (error) => this.#end(error.message));
  }

  #end(failure: string | undefined): void {
    if (failure !== undefined) this.#failures.push(failure);
    this.#inFlight -= 1;
    if (this.#inFlight === 0) this.#drained();
  }
}
