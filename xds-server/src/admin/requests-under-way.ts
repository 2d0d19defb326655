import type { FastifyInstance } from "fastify";
import { requestError } from "./problem-json.ts";

/**
 * The requests that are not answered yet. A server that stops answers them before it closes their connections, so that a
 * client learns whether its write was made. It rejects requests that come after that.
 */
export class RequestsUnderWay {
  #count = 0;
  #isStopping = false;
  #answered = (): void => {};

  /** Counts the requests to routes that are registered after this. */
  constructor(app: FastifyInstance) {
    app.addHook("onRequest", async (_request, reply) => {
      if (this.#isStopping) {
        reply.header("connection", "close");
        throw requestError(503, "STOPPING", "Cannot answer: the server is stopping", {
          hint: "send the request again when the server has started again",
        });
      }
      this.#count += 1;
      reply.raw.once("close", () => {
        this.#count -= 1;
        if (this.#count === 0) this.#answered();
      });
    });
  }

  /** Rejects later requests. Resolves when all earlier ones are answered, or when the time is up. */
  async answered(limitMs: number): Promise<void> {
    this.#isStopping = true;
    if (this.#count === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#answered = resolve;
    const timer = setTimeout(resolve, limitMs);
    await promise;
    clearTimeout(timer);
  }
}
