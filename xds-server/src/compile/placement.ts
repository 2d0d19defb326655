import type { Document } from "../model/document.ts";
import type { Problem } from "../model/problem.ts";
import { resourceTypeOf, type TypeUrl } from "../resources/resource-types.ts";
import type { Resource, ResourceSet, Snapshot } from "../resources/snapshot.ts";
import { problem, type Scope } from "./built.ts";

/** The resources of one scope, by type. */
export type Layer = ReadonlyMap<TypeUrl, ResourceSet>;

/** The result of a run of the compiler. The next run uses its objects again where nothing has changed. */
export interface Placement {
  readonly everywhere: Layer;
  readonly groups: ReadonlyMap<string, Layer>;
  readonly snapshots: ReadonlyMap<string, Snapshot>;
}

/** A resource, and the scope in which it is to be placed. */
export interface Placed {
  readonly scope: Scope;
  readonly resource: Resource;
  /** The document that it was made from, for problems. */
  readonly owner: Document;
  /** It is placed only where no other resource has its name. */
  readonly isStandIn: boolean;
}

const none: Layer = new Map();

/**
 * Puts resources into the snapshots of node groups. Resources of every node group are placed once and shared. Resources,
 * sets and snapshots that have not changed since the previous generation stay the same objects.
 */
export function place(
  placed: readonly Placed[],
  groupNames: readonly string[],
  previous: Placement | undefined,
): { readonly placement: Placement; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const everywhere = new LayerBuilder(previous?.everywhere);
  const groups = new Map<string, LayerBuilder>();
  const insert = (item: Placed): void => {
    const { scope, resource, isStandIn } = item;
    const layer =
      scope === undefined ? everywhere : (groups.get(scope) ?? new LayerBuilder(previous?.groups.get(scope)));
    if (scope !== undefined) groups.set(scope, layer);
    if (!layer.has(resource) && !everywhere.has(resource)) layer.insert(resource);
    else if (!isStandIn) problems.push(duplicate(item, placed));
  };
  // Resources of every node group go first and stand-ins last, so that each is compared only with those before it.
  for (const item of placed) if (item.scope === undefined && !item.isStandIn) insert(item);
  for (const item of placed) if (item.scope !== undefined && !item.isStandIn) insert(item);
  for (const item of placed) if (item.isStandIn) insert(item);

  const layers = {
    everywhere: everywhere.layer(),
    groups: new Map([...groups].map(([name, builder]) => [name, builder.layer()])),
  };
  return { placement: { ...layers, snapshots: snapshotsOf(layers, groupNames, previous) }, problems };
}

/** Builds the resources of one scope. Equal content gets the object of the previous generation. */
class LayerBuilder {
  readonly #former: Layer;
  readonly #sets = new Map<TypeUrl, Map<string, Resource>>();
  readonly #changed = new Set<TypeUrl>();

  constructor(former: Layer = none) {
    this.#former = former;
  }

  has({ typeUrl, name }: Resource): boolean {
    return this.#sets.get(typeUrl)?.has(name) ?? false;
  }

  insert(resource: Resource): void {
    const { typeUrl, name, version } = resource;
    const former = this.#former.get(typeUrl)?.get(name);
    const isSame = former?.version === version;
    if (!isSame) this.#changed.add(typeUrl);
    const set = this.#sets.get(typeUrl) ?? new Map<string, Resource>();
    this.#sets.set(typeUrl, set.set(name, isSame ? former : resource));
  }

  layer(): Layer {
    return new Map(
      [...this.#sets].map(([typeUrl, set]) => {
        const former = this.#former.get(typeUrl);
        const isSame = former?.size === set.size && !this.#changed.has(typeUrl);
        return [typeUrl, isSame ? former : set];
      }),
    );
  }
}

function snapshotsOf(
  layers: Pick<Placement, "everywhere" | "groups">,
  groupNames: readonly string[],
  previous: Placement | undefined,
): ReadonlyMap<string, Snapshot> {
  return new Map(
    groupNames.map((name) => {
      const former = previous?.snapshots.get(name);
      const [all, own] = [layers.everywhere, layers.groups.get(name) ?? none];
      const isUnchanged = (typeUrl: TypeUrl): boolean =>
        all.get(typeUrl) === previous?.everywhere.get(typeUrl) &&
        own.get(typeUrl) === previous?.groups.get(name)?.get(typeUrl);
      const resources = new Map<TypeUrl, ResourceSet>();
      for (const typeUrl of new Set([...all.keys(), ...own.keys()])) {
        const known = isUnchanged(typeUrl) ? former?.resources.get(typeUrl) : undefined;
        resources.set(typeUrl, known ?? joined(all.get(typeUrl), own.get(typeUrl)));
      }
      const isSame = former !== undefined && sameEntries(former.resources, resources);
      return [name, isSame ? former : { resources }];
    }),
  );
}

const sameEntries = <K, V>(some: ReadonlyMap<K, V>, others: ReadonlyMap<K, V>): boolean =>
  some.size === others.size && [...some].every(([key, value]) => others.get(key) === value);

/** The resources of every node group and those of one. The latter replace stand-ins of every node group. */
function joined(everywhere: ResourceSet | undefined, own: ResourceSet | undefined): ResourceSet {
  if (own === undefined) return everywhere ?? new Map();
  return everywhere === undefined ? own : new Map([...everywhere, ...own]);
}

/** The problem of a resource whose type and name another one has, which was placed before. */
function duplicate(item: Placed, placed: readonly Placed[]): Problem {
  const { typeUrl, name } = item.resource;
  const other = placed.find(
    ({ scope, resource, isStandIn }) =>
      !isStandIn &&
      (scope === undefined || scope === item.scope) &&
      resource.name === name &&
      resource.typeUrl === typeUrl &&
      resource !== item.resource,
  );
  // Only an EnvoyResource can be renamed alone: in other documents, the name of the document is that of the resource.
  const isItem = item.owner.kind === "EnvoyResource" || other === undefined;
  const [blamed, kept] = isItem ? [item.owner, other?.owner ?? item.owner] : [other.owner, item.owner];
  const type = resourceTypeOf(typeUrl);
  return problem(blamed, {
    code: "RESOURCE_DUPLICATE",
    path: `spec.resource.${type?.nameField}`,
    message: `${kept.kind} "${kept.name}" also makes the ${type?.shortName} resource "${name}"`,
    found: name,
    hint: "rename one of them, or give them different node groups",
  });
}
