import type { FastifyInstance } from "fastify";
import type { AdminDeps } from "./admin-deps.ts";
import { requestError } from "./problem-json.ts";

export const livenessUrl = "/healthz";
export const readinessUrl = "/readyz";

/** Liveness, readiness and metrics, for orchestrators and monitoring. */
export function registerHealth(app: FastifyInstance, { notReady, metrics, store }: AdminDeps): void {
  const tags = ["health"];
  app.get(livenessUrl, { schema: { tags, summary: "Check that the process runs" } }, () => ({ status: "ok" }));

  app.get(readinessUrl, { schema: { tags, summary: "Check that proxies are served: 200, or 503 before that" } }, () => {
    const cause = notReady();
    if (cause === undefined) return { status: "ready", revision: store.get().revision };
    throw requestError(503, "NOT_READY", `Not ready: ${cause}`, {
      hint: "try again in a moment; if that does not help, read the server's log",
    });
  });

  app.get("/metrics", { schema: { tags, summary: "Read the metrics, for Prometheus" } }, async (_request, reply) => {
    const { text, contentType } = await metrics.exposition();
    return reply.type(contentType).send(text);
  });
}
