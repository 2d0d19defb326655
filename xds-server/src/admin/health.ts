import type { FastifyInstance } from "fastify";
import type { AdminDeps } from "./admin-deps.ts";
import { requestError } from "./problem-json.ts";

export const livenessUrl = "/healthz";
export const readinessUrl = "/readyz";

/** For machines that look after this one: liveness, readiness, metrics. */
export function registerHealth(app: FastifyInstance, { ready, metrics, store }: AdminDeps): void {
  const tags = ["health"];
  app.get(livenessUrl, { schema: { tags, summary: "Answers while the process runs" } }, () => ({ status: "ok" }));

  app.get(readinessUrl, { schema: { tags, summary: "Answers 200 once proxies are served" } }, () => {
    if (ready()) return { status: "ready", revision: store.get().revision };
    throw requestError(503, "NOT_READY", "Not ready: discovery streams are not served yet", {
      hint: "ask again in a moment; where that does not help, the log says why nothing is published",
    });
  });

  app.get("/metrics", { schema: { tags, summary: "Prometheus metrics" } }, async (_request, reply) => {
    const { text, contentType } = await metrics.exposition();
    return reply.type(contentType).send(text);
  });
}
