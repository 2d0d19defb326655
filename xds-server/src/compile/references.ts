import { hostCalls, wasiCalls } from "../filter-registry/abi.ts";
import type { Artifacts } from "../filter-registry/artifact.ts";
import type { Document } from "../model/document.ts";
import { listenerDefaults } from "../model/listener.ts";
import type { Mesh } from "../model/mesh.ts";
import { didYouMean } from "../model/nearest.ts";
import { defaultNodeGroup } from "../model/node-group.ts";
import type { Problem } from "../model/problem.ts";
import { resourceType } from "../resources/resource-types.ts";
import { overlap, problem, type Scope } from "./built.ts";
import { type BuiltEnvoyResource, listeningAddress } from "./envoy-resources.ts";
import { Names } from "./names.ts";

/** Everything that references of a mesh can refer to. */
export interface Referables {
  readonly mesh: Mesh;
  readonly artifacts: Artifacts;
  readonly envoyResources: ReadonlyMap<Document<"EnvoyResource">, BuiltEnvoyResource>;
}

/** The problems of references to something that does not exist, and of listeners with the same address. */
export function referenceProblems(referables: Referables): readonly Problem[] {
  const { mesh } = referables;
  const clusters = clusterNames(referables);
  return [
    ...nodeGroupProblems(mesh),
    ...endpointsProblems(mesh, clusters),
    ...routeProblems(mesh, clusters),
    ...listenerProblems(mesh, clusters),
    ...addressProblems(referables),
    ...filterProblems(referables),
  ];
}

function clusterNames({ mesh, envoyResources }: Referables): Names {
  const names = new Names("cluster");
  for (const { name, spec } of mesh.all("Cluster").values()) names.add(name, spec.nodeGroup);
  const { typeUrl } = resourceType("CDS");
  for (const [{ spec }, { resources }] of envoyResources) {
    for (const resource of resources) if (resource.typeUrl === typeUrl) names.add(resource.name, spec.nodeGroup);
  }
  return names;
}

function nodeGroupProblems(mesh: Mesh): Problem[] {
  const groups = new Names("node group");
  groups.add(defaultNodeGroup, undefined);
  for (const name of mesh.all("NodeGroup").keys()) groups.add(name, undefined);
  const problems: Problem[] = [];
  const reserved = mesh.get("NodeGroup", defaultNodeGroup);
  if (reserved !== undefined) {
    const message = "this name is reserved for the group of all proxies that match no NodeGroup";
    problems.push(
      problem(reserved, { code: "NODE_GROUP_RESERVED", path: "name", message, hint: "choose another name" }),
    );
  }
  for (const document of mesh.documents()) {
    const { spec } = document;
    if (!("nodeGroup" in spec) || spec.nodeGroup === undefined || groups.has(spec.nodeGroup, undefined)) continue;
    const fault = { code: "NODE_GROUP_UNKNOWN", path: "spec.nodeGroup", found: spec.nodeGroup } as const;
    problems.push(problem(document, { ...fault, ...groups.missing(spec.nodeGroup, undefined) }));
  }
  return problems;
}

function endpointsProblems(mesh: Mesh, clusters: Names): Problem[] {
  return [...mesh.all("Endpoints").values()].flatMap((document) => {
    const { name, spec } = document;
    const cluster = mesh.get("Cluster", name);
    if (cluster !== undefined && cluster.spec.eds === undefined) {
      const where = cluster.spec.dns === undefined ? "endpoints" : "dns";
      const message = `cluster "${name}" gets its endpoints from its own "${where}"`;
      const hint = `write "eds: {}" in the cluster instead of "${where}", or delete this document`;
      return [problem(document, { code: "ENDPOINTS_CLUSTER_NOT_EDS", path: "name", message, found: name, hint })];
    }
    if (clusters.hasSomewhere(name, spec.nodeGroup)) return [];
    const fault = { code: "ENDPOINTS_UNKNOWN_CLUSTER", path: "name", found: name } as const;
    return [problem(document, { ...fault, ...clusters.missing(name, spec.nodeGroup) })];
  });
}

function routeProblems(mesh: Mesh, clusters: Names): Problem[] {
  const users = new Map<string, Set<Scope>>();
  for (const { spec } of mesh.all("Listener").values()) {
    for (const route of spec.http?.routes ?? []) {
      const scopes = users.get(route) ?? new Set();
      users.set(route, scopes.add(spec.nodeGroup));
    }
  }
  const problems: Problem[] = [];
  for (const document of mesh.all("Route").values()) {
    const scopes = [...(users.get(document.name) ?? [])];
    for (const { path, cluster } of clustersOf(document)) {
      const isUnused = scopes.length === 0;
      if (isUnused ? clusters.hasSomewhere(cluster) : scopes.every((scope) => clusters.has(cluster, scope))) continue;
      const needed = scopes.find((scope) => !clusters.has(cluster, scope));
      const fault = { code: "ROUTE_UNKNOWN_CLUSTER", path, found: cluster } as const;
      problems.push(problem(document, { ...fault, ...clusters.missing(cluster, needed) }));
    }
  }
  return problems;
}

/** The clusters that a route sends to, and the paths of their names. */
export function* clustersOf({
  spec,
}: Document<"Route">): Iterable<{ readonly path: string; readonly cluster: string }> {
  for (const [index, { cluster, clusters = [] }] of spec.routes.entries()) {
    if (cluster !== undefined) yield { path: `spec.routes[${index}].cluster`, cluster };
    for (const [at, { name }] of clusters.entries()) {
      yield { path: `spec.routes[${index}].clusters[${at}].name`, cluster: name };
    }
  }
}

function listenerProblems(mesh: Mesh, clusters: Names): Problem[] {
  const routes = new Names("route");
  for (const name of mesh.all("Route").keys()) routes.add(name, undefined);
  return [...mesh.all("Listener").values()].flatMap((document) => {
    const { http, tcp, nodeGroup } = document.spec;
    const problems: Problem[] = [];
    for (const [index, route] of (http?.routes ?? []).entries()) {
      if (routes.has(route, undefined)) continue;
      const fault = { code: "LISTENER_UNKNOWN_ROUTE", path: `spec.http.routes[${index}]`, found: route } as const;
      problems.push(problem(document, { ...fault, ...routes.missing(route, undefined) }));
    }
    if (tcp !== undefined && !clusters.has(tcp.cluster, nodeGroup)) {
      const fault = { code: "LISTENER_UNKNOWN_CLUSTER", path: "spec.tcp.cluster", found: tcp.cluster } as const;
      problems.push(problem(document, { ...fault, ...clusters.missing(tcp.cluster, nodeGroup) }));
    }
    return problems;
  });
}

/** A proxy rejects a second listener on an address. */
function addressProblems({ mesh, envoyResources }: Referables): Problem[] {
  const taken = new Map<string, Document<"Listener" | "EnvoyResource">[]>();
  const problems: Problem[] = [];
  const check = (document: Document<"Listener" | "EnvoyResource">, address: string | undefined, path: string): void => {
    if (address === undefined) return;
    const others = taken.get(address) ?? [];
    const other = others.find(({ spec }) => overlap(spec.nodeGroup, document.spec.nodeGroup));
    if (other !== undefined) {
      const message = `${other.kind} "${other.name}" also listens on ${address}`;
      const hint = "choose another port, or give the two different node groups";
      problems.push(problem(document, { code: "LISTENER_ADDRESS_TAKEN", path, message, found: address, hint }));
    }
    taken.set(address, [...others, document]);
  };
  for (const listener of mesh.all("Listener").values()) {
    const { address = listenerDefaults.address, port } = listener.spec;
    check(listener, listeningAddress(address, port), "spec.port");
  }
  for (const [document, { address }] of envoyResources) check(document, address, "spec.resource.address");
  return problems;
}

function filterProblems({ mesh, artifacts }: Referables): Problem[] {
  const listeners = new Names("listener");
  for (const name of mesh.all("Listener").keys()) listeners.add(name, undefined);
  const canaries = new Map<string, string>();
  return [...mesh.all("Filter").values()].flatMap((document) => {
    const { spec } = document;
    const problems = spec.listeners.flatMap((name, index) => {
      const path = `spec.listeners[${index}]`;
      const listener = mesh.get("Listener", name);
      if (listener === undefined) {
        const fault = { code: "FILTER_UNKNOWN_LISTENER", path, found: name } as const;
        return [problem(document, { ...fault, ...listeners.missing(name, undefined) })];
      }
      if (listener.spec.http !== undefined) return [];
      const message = `listener "${name}" forwards TCP connections, but filters run only for HTTP requests`;
      return [problem(document, { code: "FILTER_LISTENER_NOT_HTTP", path, message, found: name })];
    });
    if (!artifacts.has(spec.sha256)) problems.push(unknownModule(document, artifacts, spec.sha256, "spec.sha256"));
    if (spec.canary !== undefined && !artifacts.has(spec.canary.sha256)) {
      problems.push(unknownModule(document, artifacts, spec.canary.sha256, "spec.canary.sha256"));
    }
    return [...problems, ...unknownCapabilities(document), ...canaryConflicts(document, canaries)];
  });
}

/** A listener can have only one canary, because its routes separate the requests of one canary from the others. */
function canaryConflicts(document: Document<"Filter">, canaries: Map<string, string>): readonly Problem[] {
  const { listeners, canary } = document.spec;
  if (canary === undefined) return [];
  return listeners.flatMap((listener) => {
    const other = canaries.get(listener);
    canaries.set(listener, document.name);
    if (other === undefined) return [];
    const message = `filter "${other}" already has a canary in listener "${listener}"`;
    const hint = "wait until that canary has ended, or remove it";
    return [problem(document, { code: "FILTER_CANARY_CONFLICT", path: "spec.canary", message, hint })];
  });
}

/** With a misspelt capability, a filter would silently lack a call that it needs. */
function unknownCapabilities(document: Document<"Filter">): readonly Problem[] {
  const { capabilities = [] } = document.spec;
  return capabilities.flatMap((found, index) => {
    if (hostCalls.has(found) || wasiCalls.has(found)) return [];
    const hint = didYouMean(found, [...hostCalls.keys(), ...wasiCalls.keys()]);
    const path = `spec.capabilities[${index}]`;
    const message = `"${found}" is not a host call of Envoy`;
    return [problem(document, { code: "FILTER_UNKNOWN_CAPABILITY", path, message, found, hint })];
  });
}

function unknownModule(document: Document<"Filter">, artifacts: Artifacts, sha256: string, path: string): Problem {
  const { name } = document;
  const uploads = [...artifacts.values()].filter(({ filter }) => filter === name);
  const newest = uploads.toSorted((one, other) => other.uploadedAt - one.uploadedAt)[0];
  return problem(document, {
    code: "FILTER_UNKNOWN_MODULE",
    path,
    message: `no uploaded module has the sha256 ${sha256}`,
    found: sha256,
    hint: newest === undefined ? "upload the module first" : `the newest upload for "${name}" is ${newest.sha256}`,
  });
}
