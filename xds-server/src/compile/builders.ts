import type { Document } from "../model/document.ts";
import { buildCluster } from "./clusters.ts";
import { buildEndpoints, builtEndpoints } from "./endpoints.ts";
import { buildEnvoyResource } from "./envoy-resources.ts";
import { buildCanary, buildFilter } from "./filters.ts";
import { buildListener } from "./listeners.ts";
import { remembered } from "./remembered.ts";
import { buildCanaryRoutes, buildRoute, buildRoutes } from "./routes.ts";

/** What makes resources out of documents. Each depends on nothing but its arguments. */
export const builders = {
  cluster: buildCluster,
  /** For EDS clusters without an Endpoints document: with no answer at all, Envoy would wait for one. */
  noEndpoints: (document: Document<"Cluster">) => builtEndpoints(document, []),
  endpoints: buildEndpoints,
  route: (document: Document<"Route">) => buildRoute(document),
  routes: buildRoutes,
  canaryRoute: buildRoute,
  canaryRoutes: buildCanaryRoutes,
  listener: buildListener,
  filter: buildFilter,
  canary: buildCanary,
  envoyResource: buildEnvoyResource,
};

export type Builders = typeof builders;

/** The same, each with a memory of what it built for each document. */
export const rememberingBuilders = (made: Builders): Builders => ({
  cluster: remembered(made.cluster),
  noEndpoints: remembered(made.noEndpoints),
  endpoints: remembered(made.endpoints),
  route: remembered(made.route),
  routes: remembered(made.routes),
  canaryRoute: remembered(made.canaryRoute),
  canaryRoutes: remembered(made.canaryRoutes),
  listener: remembered(made.listener),
  filter: remembered(made.filter),
  canary: remembered(made.canary),
  envoyResource: remembered(made.envoyResource),
});
