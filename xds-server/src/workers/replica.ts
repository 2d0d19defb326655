import { nodeGroupOf } from "../model/node-group.ts";
import type { Published } from "../publishing/snapshot-cache.ts";
import type { TypeUrl } from "../resources/resource-types.ts";
import { noteChanges } from "../resources/set-changes.ts";
import type { Resource, ResourceSet, Snapshot } from "../resources/snapshot.ts";
import type { Publication, SetDifference } from "./publication.ts";

/** A worker's copy of the published data, built from the publications of a `PublicationEncoder`. */
export class Replica {
  #sets: ReadonlyMap<number, ResourceSet> = new Map();
  #snapshots: ReadonlyMap<string, Snapshot> = new Map();
  #groupOf: Published["groupOf"] = () => {
    throw new Error("There are no node groups before the first publication");
  };

  apply({ sets, groups, gone, nodeGroups }: Publication): Published {
    const known = new Map(this.#sets);
    for (const difference of sets) known.set(difference.number, changed(known, difference));
    const snapshots = new Map(this.#snapshots);
    for (const { name, sets } of groups) snapshots.set(name, snapshotOf(known, sets));
    for (const name of gone) snapshots.delete(name);
    if (nodeGroups !== undefined) {
      const documents = new Map([...nodeGroups].map(([name, spec]) => [name, { spec }]));
      this.#groupOf = (node) => nodeGroupOf(node, documents);
    }
    const inUse = new Set([...snapshots.values()].flatMap(({ resources }) => [...resources.values()]));
    this.#sets = new Map([...known].filter(([, set]) => inUse.has(set)));
    this.#snapshots = snapshots;
    return { snapshots, groupOf: this.#groupOf };
  }
}

function changed(known: ReadonlyMap<number, ResourceSet>, difference: SetDifference): ResourceSet {
  const { from, removed } = difference;
  const before = from === undefined ? undefined : setOf(known, from);
  const set = new Map(before);
  const own = difference.changed.map(withOwnBytes);
  for (const resource of own) set.set(resource.name, resource);
  for (const name of removed) set.delete(name);
  if (before !== undefined) noteChanges(before, set, { changed: own, removed });
  return set;
}

/** Copies the body. It is a part of the received message, and one resource would keep the whole message in memory. */
function withOwnBytes(resource: Resource): Resource {
  return { ...resource, body: new Uint8Array(resource.body) };
}

function snapshotOf(known: ReadonlyMap<number, ResourceSet>, sets: readonly (readonly [TypeUrl, number])[]): Snapshot {
  return { resources: new Map(sets.map(([typeUrl, number]) => [typeUrl, setOf(known, number)])) };
}

function setOf(known: ReadonlyMap<number, ResourceSet>, number: number): ResourceSet {
  const set = known.get(number);
  if (set === undefined) throw new Error(`Set ${number} is not known`);
  return set;
}
