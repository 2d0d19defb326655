import type { FastifyInstance } from "fastify";
import { operations } from "../admin-api/operations.ts";
import { routes } from "../admin-api/routes.ts";
import type { AdminDeps } from "./admin-deps.ts";
import { serveOperation } from "./serve-operation.ts";

/** The load on clusters and endpoints that proxies report (LRS). */
export function registerLoad(app: FastifyInstance, { loads }: AdminDeps): void {
  serveOperation(app, routes.load, operations.load, ({ query }) => ({
    items: loads.clusters(query),
    omitted: loads.omitted,
  }));
}
