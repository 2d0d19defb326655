import type { Artifacts } from "../filter-registry/artifact.ts";
import type { Document } from "../model/document.ts";
import type { Mesh } from "../model/mesh.ts";
import { defaultNodeGroup } from "../model/node-group.ts";
import { boundedProblems, type Problem } from "../model/problem.ts";
import type { Snapshot } from "../resources/snapshot.ts";
import type { Builders } from "./builders.ts";
import type { Built, Scope } from "./built.ts";
import { canariesByListener } from "./canary-routes.ts";
import type { BuiltEnvoyResource } from "./envoy-resources.ts";
import { type FilterUse, filterUses } from "./filters.ts";
import { inRunningOrder } from "./listeners.ts";
import { type Placed, type Placement, place } from "./placement.ts";
import { referenceProblems } from "./references.ts";

/** Everything that the compiler reads. */
export interface Inputs {
  readonly mesh: Mesh;
  readonly artifacts: Artifacts;
}

export interface Compiled {
  /** The snapshot of each node group, always including `defaultNodeGroup`. Not to be used when there are problems. */
  readonly snapshots: ReadonlyMap<string, Snapshot>;
  /** Every fault found; empty when the mesh is good. */
  readonly problems: readonly Problem[];
}

/** Inputs with their compiled result. */
export interface CompiledInputs {
  readonly inputs: Inputs;
  readonly compiled: Compiled;
}

/** A compiler. It may remember earlier results, and compile only the documents that changed since. */
export type Compile = (inputs: Inputs) => Compiled;

/** Compiles the whole mesh. Resources, sets and snapshots that did not change since the previous run stay the same objects. */
export function compileMesh(
  inputs: Inputs,
  make: Builders,
  previous?: Placement,
): { readonly compiled: Compiled; readonly placement: Placement } {
  const { mesh, artifacts } = inputs;
  const envoyResources = new Map<Document<"EnvoyResource">, BuiltEnvoyResource>();
  for (const document of mesh.all("EnvoyResource").values()) envoyResources.set(document, make.envoyResource(document));

  const placed: Placed[] = [];
  const problems: Problem[] = [];
  const add = (owner: Document, scopes: readonly Scope[], made: Built, isStandIn = false): void => {
    problems.push(...made.problems);
    for (const resource of made.resources) {
      for (const scope of scopes) placed.push({ scope, resource, owner, isStandIn });
    }
  };

  for (const document of mesh.all("Cluster").values()) {
    const { nodeGroup, eds } = document.spec;
    add(document, [nodeGroup], make.cluster(document));
    if (eds !== undefined) add(document, [nodeGroup], make.noEndpoints(document), true);
  }
  for (const document of mesh.all("Endpoints").values()) {
    // When the Cluster has endpoints itself, this document is already a problem. A second problem would not help.
    const isWanted = mesh.get("Cluster", document.name)?.spec.endpoints === undefined;
    if (isWanted) add(document, [document.spec.nodeGroup], make.endpoints(document));
  }
  for (const document of mesh.all("Route").values()) problems.push(...make.route(document).problems);
  const filters = filtersByListener(inputs);
  const canaries = canariesByListener(mesh);
  for (const document of mesh.all("Listener").values()) {
    const scopes = [document.spec.nodeGroup];
    add(document, scopes, make.listener(document, ...(filters.get(document.name) ?? [])));
    if (document.spec.http === undefined) continue;
    const routes = document.spec.http.routes.flatMap((name) => mesh.get("Route", name) ?? []);
    add(document, scopes, make.routes(document, ...routes.map((route) => make.route(route))));
    const canary = canaries.get(document.name);
    if (canary === undefined) continue;
    add(document, scopes, make.canaryRoutes(document, ...routes.map((route) => make.canaryRoute(route, canary))));
  }
  for (const document of mesh.all("Filter").values()) {
    const artifact = artifacts.get(document.spec.sha256);
    if (artifact !== undefined) add(document, filterScopes(mesh, document), make.filter(document, artifact));
    const canary = artifacts.get(document.spec.canary?.sha256 ?? "");
    if (canary !== undefined) add(document, filterScopes(mesh, document), make.canary(document, canary));
  }
  for (const [document, made] of envoyResources) add(document, [document.spec.nodeGroup], made);

  problems.push(...referenceProblems({ mesh, artifacts, envoyResources }));
  const groupNames = [defaultNodeGroup, ...mesh.all("NodeGroup").keys()];
  const { placement, problems: duplicates } = place(placed, groupNames, previous);
  problems.push(...duplicates);
  return { compiled: { snapshots: placement.snapshots, problems: boundedProblems(problems) }, placement };
}

/** The filters of each listener, in the order in which they run. */
function filtersByListener({ mesh, artifacts }: Inputs): ReadonlyMap<string, readonly FilterUse[]> {
  const filters = new Map<string, FilterUse[]>();
  for (const document of inRunningOrder([...mesh.all("Filter").values()])) {
    const uses = filterUses(document, artifacts.get(document.spec.sha256));
    for (const listener of document.spec.listeners) filters.set(listener, [...(filters.get(listener) ?? []), ...uses]);
  }
  return filters;
}

/** The scopes of a filter are those of its listeners. */
function filterScopes(mesh: Mesh, { spec }: Document<"Filter">): readonly Scope[] {
  const scopes = new Set(
    spec.listeners.flatMap((name) => mesh.get("Listener", name) ?? []).map((listener) => listener.spec.nodeGroup),
  );
  return scopes.has(undefined) ? [undefined] : [...scopes];
}
