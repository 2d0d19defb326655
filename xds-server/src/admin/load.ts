import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { AdminDeps } from "./admin-deps.ts";
import { answers } from "./answers.ts";
import { operation } from "./operation.ts";
import { queryOf } from "./query.ts";

const loadQuery = z.strictObject({
  nodeId: z.string().optional().describe("Only what this proxy reports"),
  cluster: z.string().optional().describe("Only this cluster"),
  detail: z.enum(["cluster", "locality", "endpoint"]).default("cluster").describe("How far to look into each cluster"),
});

/** How much proxies ask of what is behind them, as they report it (LRS). */
export function registerLoad(app: FastifyInstance, { loads }: AdminDeps): void {
  const summary = "Read the load on clusters, localities and endpoints, as the proxies report it";
  app.get(
    "/api/v1/load",
    operation({ tags: ["load"], summary, query: loadQuery, answer: answers.load }),
    (request) => ({
      items: loads.clusters(queryOf(request, loadQuery)),
      omitted: loads.omitted,
    }),
  );
}
