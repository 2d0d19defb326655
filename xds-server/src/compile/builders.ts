import type { Document } from "../model/document.ts";
import { buildCluster } from "./clusters.ts";
import { buildEndpoints, builtEndpoints } from "./endpoints.ts";
import { buildEnvoyResource } from "./envoy-resources.ts";
import { buildCanary, buildFilter } from "./filters.ts";
import { buildListener } from "./listeners.ts";
import { remembered } from "./remembered.ts";
import { buildCanaryRoutes, buildRoute, buildRoutes } from "./routes.ts";

/** The functions that make resources from documents. Each depends only on its arguments. */
export const builders = {
  cluster: buildCluster,
  /** For an EDS cluster without an Endpoints document: without any endpoints resource, Envoy would wait for one. */
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

/** The same functions. Each remembers what it built for each document. */
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
