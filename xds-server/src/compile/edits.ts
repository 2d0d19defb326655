import type { Document, Kind } from "../model/document.ts";
import type { Mesh } from "../model/mesh.ts";
import type { TypeUrl } from "../resources/resource-types.ts";
import { resourceType } from "../resources/resource-types.ts";
import { noteChanges } from "../resources/set-changes.ts";
import type { Resource, ResourceSet } from "../resources/snapshot.ts";
import type { Builders } from "./builders.ts";
import type { Built, Scope } from "./built.ts";
import { canariesByListener } from "./canary-routes.ts";
import type { Inputs } from "./compile.ts";
import type { Layer, Placement } from "./placement.ts";
import { clustersOf } from "./references.ts";

/** The result of compiling a mesh without problems. */
export interface Generation extends Placement {
  readonly inputs: Inputs;
}

/** One document before and after. */
interface Edit<K extends Kind = Kind> {
  readonly before: Document<K>;
  readonly after: Document<K>;
}

/**
 * Compiles a change that only edits documents, so that the cost of a write depends on the change and not on the whole mesh.
 * It handles only edits after which every resource keeps its place and every reference is still valid. For all other edits,
 * and for edits with a problem, it returns undefined. The caller then compiles the whole mesh.
 */
export function compileEdits(previous: Generation, inputs: Inputs, make: Builders): Generation | undefined {
  if (inputs.artifacts !== previous.inputs.artifacts) return undefined;
  const edits = editsBetween(previous.inputs.mesh, inputs.mesh);
  const replacements = new Map<Resource, Resource>();
  for (const edit of edits ?? []) {
    const placed = rebuilt(edit, inputs.mesh, previous, make);
    if (placed === undefined) return undefined;
    for (const { scope, built } of placed) {
      if (built.problems.length > 0) return undefined;
      for (const resource of built.resources) {
        const former = setIn(layerOf(previous, scope), resource.typeUrl)?.get(resource.name);
        if (former === undefined) return undefined;
        if (former.version !== resource.version) replacements.set(former, resource);
      }
    }
  }
  return edits && replaced(previous, inputs, replacements);
}

/** The documents that differ. Undefined when some were added or deleted. */
function editsBetween(before: Mesh, after: Mesh): readonly Edit[] | undefined {
  const edits: Edit[] = [];
  for (const kind of new Set([...before.kinds(), ...after.kinds()])) {
    const [old, now] = [before.all(kind), after.all(kind)];
    if (old === now) continue;
    if (old.size !== now.size) return undefined;
    for (const [name, document] of now) {
      const former = old.get(name);
      if (former === undefined) return undefined;
      if (former !== document) edits.push({ before: former, after: document });
    }
  }
  return edits;
}

interface Rebuilt {
  readonly scope: Scope;
  readonly built: Built;
}

/** The resources that an edit changes, in their places. Undefined when it may move resources or break references. */
function rebuilt(edit: Edit, mesh: Mesh, previous: Generation, make: Builders): readonly Rebuilt[] | undefined {
  if (isOf("Cluster", edit)) return hasSameSource(edit) ? inPlace(edit, make.cluster(edit.after)) : undefined;
  if (isOf("Endpoints", edit)) return inPlace(edit, make.endpoints(edit.after));
  if (isOf("Route", edit)) return rebuiltRoutes(edit.after, mesh, previous, make);
  if (isOf("EnvoyResource", edit)) {
    const [before, after] = [make.envoyResource(edit.before), make.envoyResource(edit.after)];
    return before.address === after.address && hasSameKeys(before, after) ? inPlace(edit, after) : undefined;
  }
  // The match of a NodeGroup is not compiled.
  return edit.after.kind === "NodeGroup" ? [] : undefined;
}

function isOf<K extends Kind>(kind: K, edit: Edit): edit is Edit<K> {
  return edit.after.kind === kind;
}

function inPlace({ before, after }: Edit<"Cluster" | "Endpoints" | "EnvoyResource">, built: Built) {
  const scope = after.spec.nodeGroup;
  return before.spec.nodeGroup === scope ? [{ scope, built }] : undefined;
}

/** Whether a cluster's endpoints come from the same source as before, so that it makes resources of the same names. */
function hasSameSource({ before, after }: Edit<"Cluster">): boolean {
  return (["endpoints", "dns", "eds"] as const).every(
    (source) => (before.spec[source] === undefined) === (after.spec[source] === undefined),
  );
}

function hasSameKeys(before: Built, after: Built): boolean {
  const keys = ({ resources }: Built): string => resources.map(({ typeUrl, name }) => `${typeUrl} ${name}`).join();
  return keys(before) === keys(after);
}

function rebuiltRoutes(route: Document<"Route">, mesh: Mesh, previous: Generation, make: Builders) {
  const listeners = [...mesh.all("Listener").values()].filter(({ spec }) => spec.http?.routes.includes(route.name));
  const scopes = listeners.map(({ spec }) => spec.nodeGroup);
  const clusters = [...clustersOf(route)];
  if (!clusters.every(({ cluster }) => existsIn(cluster, scopes, previous))) return undefined;
  // Routes that no listener serves make no resources, but can still have problems.
  const alone = { scope: undefined, built: { resources: [], problems: make.route(route).problems } };
  const canaries = canariesByListener(mesh);
  const served = listeners.flatMap((listener) => {
    const routes = (listener.spec.http?.routes ?? []).flatMap((name) => mesh.get("Route", name) ?? []);
    const scope = listener.spec.nodeGroup;
    const all = { scope, built: make.routes(listener, ...routes.map((each) => make.route(each))) };
    const canary = canaries.get(listener.name);
    if (canary === undefined) return [all];
    const canaryRoutes = make.canaryRoutes(listener, ...routes.map((each) => make.canaryRoute(each, canary)));
    return [all, { scope, built: canaryRoutes }];
  });
  return [alone, ...served];
}

const { typeUrl: clusterType } = resourceType("CDS");

/** Whether a cluster exists in every scope. Without scopes: whether it exists in any node group. */
function existsIn(cluster: string, scopes: readonly Scope[], { everywhere, groups }: Generation): boolean {
  const isIn = (layer: Layer | undefined): boolean => setIn(layer, clusterType)?.has(cluster) ?? false;
  if (isIn(everywhere)) return true;
  if (scopes.length === 0) return [...groups.values()].some(isIn);
  return scopes.every((scope) => scope !== undefined && isIn(groups.get(scope)));
}

const layerOf = ({ everywhere, groups }: Generation, scope: Scope): Layer | undefined =>
  scope === undefined ? everywhere : groups.get(scope);

const setIn = (layer: Layer | undefined, typeUrl: TypeUrl): ResourceSet | undefined => layer?.get(typeUrl);

/** The previous generation with some resources replaced, in every layer and snapshot that has them. */
function replaced(previous: Generation, inputs: Inputs, replacements: ReadonlyMap<Resource, Resource>): Generation {
  const byType = Map.groupBy(replacements, ([{ typeUrl }]) => typeUrl);
  // A set that several layers and snapshots share stays one set.
  const known = new Map<ResourceSet, ResourceSet>();
  const editedSet = (typeUrl: TypeUrl, set: ResourceSet): ResourceSet => {
    const next = known.get(set) ?? withReplaced(set, byType.get(typeUrl) ?? []);
    known.set(set, next);
    return next;
  };
  const editedLayer = (layer: Layer): Layer => {
    const next = new Map([...layer].map(([typeUrl, set]) => [typeUrl, editedSet(typeUrl, set)]));
    return [...next].every(([typeUrl, set]) => layer.get(typeUrl) === set) ? layer : next;
  };
  const snapshots = [...previous.snapshots].map(([name, snapshot]) => {
    const resources = editedLayer(snapshot.resources);
    return [name, resources === snapshot.resources ? snapshot : { resources }] as const;
  });
  return {
    inputs,
    everywhere: editedLayer(previous.everywhere),
    groups: new Map([...previous.groups].map(([name, layer]) => [name, editedLayer(layer)])),
    snapshots: new Map(snapshots),
  };
}

function withReplaced(set: ResourceSet, replacements: readonly (readonly [Resource, Resource])[]): ResourceSet {
  // A group may have its own resource of that name, which is not replaced.
  const changed = replacements.filter(([former]) => set.get(former.name) === former).map(([, resource]) => resource);
  if (changed.length === 0) return set;
  const next = new Map(set);
  for (const resource of changed) next.set(resource.name, resource);
  noteChanges(set, next, { changed, removed: [] });
  return next;
}
