import { Agent, get } from "node:http";

const everyMs = 5;
const maxInFlight = 200;

/** Sends 200 requests a second over kept connections, to each URL in turn, until it is stopped. */
export class Load implements AsyncDisposable {
  readonly #urls: URL[];
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 16 });
  readonly #answers = new Map<string, number>();
  readonly #failures: string[] = [];
  readonly #timer: NodeJS.Timeout;
  #inFlight = 0;
  #requests = 0;
  #drained = (): void => {};

  constructor(...urls: readonly string[]) {
    this.#urls = urls.map((url) => new URL(url));
    this.#timer = setInterval(() => this.#send(), everyMs);
  }

  /** The number of responses so far with status 200 and this body. */
  answered(text: string): number {
    return this.#answers.get(text) ?? 0;
  }

  /** One text for each request that failed or was not answered with 200. */
  get failures(): readonly string[] {
    return this.#failures;
  }

  /** Stops sending, and waits for the last responses. */
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

  #send(): void {
    // Too many open requests are a failure too. The limit also bounds the memory.
    if (this.#inFlight >= maxInFlight) {
      clearInterval(this.#timer);
      this.#failures.push(`${maxInFlight} requests without an answer`);
      return;
    }
    this.#inFlight += 1;
    const url = this.#urls[this.#requests++ % this.#urls.length] as URL;
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
