import type { Document } from "../model/document.ts";
import type { Problem } from "../model/problem.ts";
import { resourceTypeOf, type TypeUrl } from "../resources/resource-types.ts";
import type { Resource, ResourceSet, Snapshot } from "../resources/snapshot.ts";
import { problem, type Scope } from "./built.ts";

/** Resources of one scope, by type. */
type Layer = ReadonlyMap<TypeUrl, ResourceSet>;

/** What one run of the compiler placed, kept so that the next one can give the same objects again. */
export interface Generation {
  readonly everywhere: Layer;
  readonly groups: ReadonlyMap<string, Layer>;
  readonly snapshots: ReadonlyMap<string, Snapshot>;
}

/** A resource on its way into snapshots. */
export interface Placed {
  readonly scope: Scope;
  readonly resource: Resource;
  /** The document that it was made of, for problems. */
  readonly owner: Document;
  /** True when it only stands in where nothing else has that name. */
  readonly isFallback?: boolean;
}

type Entries = Map<string, Placed>;

/**
 * Puts resources into the snapshots of node groups. What is in force everywhere is laid out once and shared; what did
 * not change since the previous generation, be it a resource, a set or a snapshot, stays the same object.
 */
export function place(
  placed: readonly Placed[],
  groupNames: readonly string[],
  previous: Generation | undefined,
): { readonly generation: Generation; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const everywhere = new Map<TypeUrl, Entries>();
  const groups = new Map<string, Map<TypeUrl, Entries>>();
  const insert = (item: Placed): void => {
    const { scope, resource, isFallback = false } = item;
    const { typeUrl, name } = resource;
    const layer = scope === undefined ? everywhere : child(groups, scope);
    const other = layer.get(typeUrl)?.get(name) ?? everywhere.get(typeUrl)?.get(name);
    if (other === undefined) child(layer, typeUrl).set(name, item);
    else if (!isFallback) problems.push(duplicate(item, other));
  };
  // What is in force everywhere goes first and stand-ins last, so that each has only those before it to meet.
  const real = placed.filter(({ isFallback }) => isFallback !== true);
  for (const item of real.filter(({ scope }) => scope === undefined)) insert(item);
  for (const item of real.filter(({ scope }) => scope !== undefined)) insert(item);
  for (const item of placed.filter(({ isFallback }) => isFallback === true)) insert(item);

  return { generation: generation(everywhere, groups, groupNames, previous), problems };
}

function child<K, L, V>(map: Map<K, Map<L, V>>, key: K): Map<L, V> {
  const made = map.get(key) ?? new Map<L, V>();
  map.set(key, made);
  return made;
}

function duplicate(item: Placed, other: Placed): Problem {
  // The names of other documents' resources follow from their own: an EnvoyResource is the one to be renamed.
  const [blamed, kept] = item.owner.kind === "EnvoyResource" ? [item, other] : [other, item];
  const type = resourceTypeOf(item.resource.typeUrl);
  return problem(blamed.owner, {
    code: "RESOURCE_DUPLICATE",
    path: blamed.owner.kind === "EnvoyResource" ? `spec.resource.${type?.nameField}` : "",
    message: `${kept.owner.kind} "${kept.owner.name}" makes a ${type?.shortName} resource called "${item.resource.name}" too`,
    found: item.resource.name,
    hint: "rename one of them, or give them different node groups",
  });
}

function generation(
  everywhereEntries: ReadonlyMap<TypeUrl, Entries>,
  groupEntries: ReadonlyMap<string, ReadonlyMap<TypeUrl, Entries>>,
  groupNames: readonly string[],
  previous: Generation | undefined,
): Generation {
  const everywhere = layerOf(everywhereEntries, previous?.everywhere);
  const groups = new Map(
    [...groupEntries].map(([name, entries]) => [name, layerOf(entries, previous?.groups.get(name))]),
  );
  const snapshots = new Map<string, Snapshot>();
  for (const name of groupNames) {
    const former = previous?.snapshots.get(name);
    const own = groups.get(name) ?? none;
    const isUnchanged = (typeUrl: TypeUrl): boolean =>
      everywhere.get(typeUrl) === previous?.everywhere.get(typeUrl) &&
      own.get(typeUrl) === previous?.groups.get(name)?.get(typeUrl);
    const resources = new Map<TypeUrl, ResourceSet>();
    for (const typeUrl of new Set([...everywhere.keys(), ...own.keys()])) {
      const formerSet = former?.resources.get(typeUrl);
      const set =
        isUnchanged(typeUrl) && formerSet !== undefined ? formerSet : joined(everywhere.get(typeUrl), own.get(typeUrl));
      resources.set(typeUrl, formerSet !== undefined && sameEntries(formerSet, set) ? formerSet : set);
    }
    snapshots.set(name, former !== undefined && sameEntries(former.resources, resources) ? former : { resources });
  }
  return { everywhere, groups, snapshots };
}

const none: Layer = new Map();

function layerOf(entries: ReadonlyMap<TypeUrl, Entries>, previous: Layer = none): Layer {
  return new Map(
    [...entries].map(([typeUrl, placed]) => {
      const former = previous.get(typeUrl);
      const next = new Map<string, Resource>();
      for (const [name, { resource }] of placed) next.set(name, sameResource(former?.get(name), resource));
      return [typeUrl, former !== undefined && sameEntries(former, next) ? former : next];
    }),
  );
}

/** The former object when it has the same content: the version says so. */
const sameResource = (former: Resource | undefined, next: Resource): Resource =>
  former !== undefined && former.version === next.version ? former : next;

function sameEntries<K, V>(some: ReadonlyMap<K, V>, others: ReadonlyMap<K, V>): boolean {
  if (some === others) return true;
  if (some.size !== others.size) return false;
  for (const [key, value] of some) if (others.get(key) !== value) return false;
  return true;
}

/** What holds for everyone and what a group has of its own, which wins over stand-ins for everyone. */
function joined(everywhere: ResourceSet | undefined, own: ResourceSet | undefined): ResourceSet {
  if (own === undefined) return everywhere ?? new Map();
  return everywhere === undefined ? own : new Map([...everywhere, ...own]);
}
