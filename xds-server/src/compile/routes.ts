import { create } from "@bufbuild/protobuf";
import { RouteConfigurationSchema } from "xds-proto-ts/envoy/config/route/v3/route";
import { type VirtualHost, VirtualHostSchema } from "xds-proto-ts/envoy/config/route/v3/route_components";
import type { Document } from "../model/document.ts";
import type { Problem } from "../model/problem.ts";
import { encodeResource } from "../resources/encode.ts";
import { resourceType } from "../resources/resource-types.ts";
import { routeEntry } from "./actions.ts";
import { type Built, problem, violations } from "./built.ts";

/** A Route document as Envoy's virtual host, not yet part of a listener's routes. */
export interface BuiltRoute {
  readonly document: Document<"Route">;
  readonly virtualHost: VirtualHost;
  readonly problems: readonly Problem[];
}

export function buildRoute(document: Document<"Route">): BuiltRoute {
  const { name, spec } = document;
  const virtualHost = create(VirtualHostSchema, {
    name,
    domains: [...spec.hosts],
    routes: spec.routes.map((entry, index) => routeEntry(`${name}/${index}`, entry)),
  });
  return { document, virtualHost, problems: violations(document, VirtualHostSchema, virtualHost) };
}

/** The routes of a listener: one resource of the listener's name, with a virtual host for each Route document. */
export function buildRoutes(listener: Document<"Listener">, ...routes: readonly BuiltRoute[]): Built {
  const message = create(RouteConfigurationSchema, {
    name: listener.name,
    virtualHosts: routes.map(({ virtualHost }) => virtualHost),
    // Clients put the port into the host whenever it is not the scheme's own.
    ignorePortInHostMatching: true,
  });
  return {
    resources: [encodeResource(resourceType("RDS"), message)],
    problems: repeatedHosts(listener, routes),
  };
}

/** Envoy refuses all routes of a listener when one host stands in two virtual hosts. */
function repeatedHosts(listener: Document<"Listener">, routes: readonly BuiltRoute[]): Problem[] {
  const owners = new Map<string, string>();
  const problems: Problem[] = [];
  for (const { document } of routes) {
    for (const host of document.spec.hosts) {
      const owner = owners.get(host.toLowerCase());
      if (owner === undefined) {
        owners.set(host.toLowerCase(), document.name);
        continue;
      }
      problems.push(
        problem(listener, {
          code: "LISTENER_DUPLICATE_HOST",
          path: `spec.http.routes[${listener.spec.http?.routes.indexOf(document.name)}]`,
          message: `host "${host}" stands in route "${owner}" and in route "${document.name}"`,
          found: document.name,
          hint: `take "${host}" out of one of them, or put their routes into one document`,
        }),
      );
    }
  }
  return problems;
}
