import { create } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { encode } from "xds-proto-ts";
import { RouteConfigurationSchema } from "xds-proto-ts/envoy/config/route/v3/route";
import { VirtualHostSchema } from "xds-proto-ts/envoy/config/route/v3/route_components";
import type { Document } from "../model/document.ts";
import type { Problem } from "../model/problem.ts";
import { encodedResource } from "../resources/encode.ts";
import { resourceType } from "../resources/resource-types.ts";
import { routeEntry } from "./actions.ts";
import { type Built, problem, violations } from "./built.ts";
import { type CanaryShare, canaryRoutesName, withCanary } from "./canary-routes.ts";

/** A Route document as a virtual host, which becomes part of the routes of listeners. */
export interface BuiltRoute {
  readonly document: Document<"Route">;
  /** The encoded virtual host. When one of thousands changes, no other is encoded again. */
  readonly virtualHost: Uint8Array;
  readonly problems: readonly Problem[];
}

export function buildRoute(document: Document<"Route">, canary?: CanaryShare): BuiltRoute {
  const { name, spec } = document;
  const routes = spec.routes.map((entry, index) => routeEntry(`${name}/${index}`, entry));
  const virtualHost = create(VirtualHostSchema, {
    name,
    domains: [...spec.hosts],
    routes: canary === undefined ? routes : routes.flatMap((route) => withCanary(route, canary)),
  });
  const problems = violations(document, VirtualHostSchema, virtualHost);
  return { document, virtualHost: encode(VirtualHostSchema, virtualHost), problems };
}

/** The routes of a listener: a resource with the listener's name and a virtual host for each Route document. */
export function buildRoutes(listener: Document<"Listener">, ...routes: readonly BuiltRoute[]): Built {
  return { ...routesNamed(listener.name, routes), problems: repeatedHosts(listener, routes) };
}

/** The routes of a listener while one of its filters has a canary. */
export function buildCanaryRoutes(listener: Document<"Listener">, ...routes: readonly BuiltRoute[]): Built {
  return routesNamed(canaryRoutesName(listener.name), routes);
}

function routesNamed(name: string, routes: readonly BuiltRoute[]): Built {
  const settings = create(RouteConfigurationSchema, {
    name,
    // Clients add the port to the host when it is not the default port of the scheme.
    ignorePortInHostMatching: true,
  });
  const writer = new BinaryWriter().raw(encode(RouteConfigurationSchema, settings));
  const { number } = RouteConfigurationSchema.field.virtualHosts;
  // Fields of a message may be in any order, so this is the same message as if all had been encoded together.
  for (const { virtualHost } of routes) writer.tag(number, WireType.LengthDelimited).bytes(virtualHost);
  return { resources: [encodedResource(resourceType("RDS"), settings, writer.finish())], problems: [] };
}

/** Envoy rejects all routes of a listener when two virtual hosts have the same host. */
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
          message: `host "${host}" is in route "${owner}" and in route "${document.name}"`,
          found: document.name,
          hint: `remove "${host}" from one of them, or put their routes into one document`,
        }),
      );
    }
  }
  return problems;
}
