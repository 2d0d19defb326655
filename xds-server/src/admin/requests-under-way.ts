import type { FastifyInstance } from "fastify";

/**
 * The requests that are not answered yet. A server that stops answers them before it closes their connections, so that a
 * client learns whether its write was made.
 */
export class RequestsUnderWay {
  #count = 0;
  #answered = (): void => {};

  /** Counts the requests to routes that are registered after this. */
  constructor(app: FastifyInstance) {
    app.addHook("onRequest", async (_request, reply) => {
      this.#count += 1;
      reply.raw.once("close", () => {
        this.#count -= 1;
        if (this.#count === 0) this.#answered();
      });
    });
  }

  /** Resolves when all are answered, or when the time is up. */
  async answered(limitMs: number): Promise<void> {
    if (this.#count === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#answered = resolve;
    const timer = setTimeout(resolve, limitMs);
    await promise;
    clearTimeout(timer);
  }
}
