import type { Document } from "../model/document.ts";
import type { NodeGroupSpec } from "../model/node-group.ts";
import type { TypeUrl } from "../resources/resource-types.ts";
import { changesBetween } from "../resources/set-changes.ts";
import type { Resource, ResourceSet, Snapshot } from "../resources/snapshot.ts";

/** The difference between what a worker holds and what is published. */
export interface Publication {
  /** The sets that the worker does not hold yet. */
  readonly sets: readonly SetDifference[];
  /** The node groups with a new snapshot, each with the numbers of its sets. */
  readonly groups: readonly GroupSets[];
  /** The node groups that have no snapshot any more. */
  readonly gone: readonly string[];
  /** All node groups, which decide the group of a proxy. Absent: unchanged. */
  readonly nodeGroups?: ReadonlyMap<string, NodeGroupSpec>;
}

/** A set holds all resources of one type in a snapshot. This is how a new set differs from one that the worker holds. */
export interface SetDifference {
  readonly number: number;
  /** The number of the set that this one is based on. Absent: the empty set. */
  readonly from?: number;
  readonly changed: readonly Resource[];
  readonly removed: readonly string[];
}

export interface GroupSets {
  readonly name: string;
  readonly sets: readonly (readonly [TypeUrl, number])[];
}

/** The data of a publication. */
export interface PublishedData {
  readonly snapshots: ReadonlyMap<string, Snapshot>;
  /** The same object as long as no node group changes. */
  readonly nodeGroups: ReadonlyMap<string, Pick<Document<"NodeGroup">, "spec">>;
}

const emptySet: ResourceSet = new Map();

/**
 * Encodes the difference between what one worker holds and a newer publication. Each resource is sent once, as bytes. Sets
 * have numbers, so that groups that share a set also share it in the worker. Both sides keep only the sets in use.
 */
export class PublicationEncoder {
  #numbers: ReadonlyMap<ResourceSet, number> = new Map();
  #snapshots: ReadonlyMap<string, Snapshot> = new Map();
  #nodeGroups: PublishedData["nodeGroups"] | undefined;
  #lastNumber = 0;

  /** The difference to the last call. The worker is assumed to apply it. */
  next({ snapshots, nodeGroups }: PublishedData): Publication {
    const numbers = new Map<ResourceSet, number>();
    const sets: SetDifference[] = [];
    const groups: GroupSets[] = [];
    for (const [name, snapshot] of snapshots) {
      const before = this.#snapshots.get(name);
      const ofGroup = [...snapshot.resources].map(([typeUrl, set]): readonly [TypeUrl, number] => {
        let number = numbers.get(set) ?? this.#numbers.get(set);
        if (number === undefined) {
          this.#lastNumber += 1;
          number = this.#lastNumber;
          sets.push({ number, ...this.#differenceTo(set, before?.resources.get(typeUrl)) });
        }
        numbers.set(set, number);
        return [typeUrl, number];
      });
      if (snapshot !== before) groups.push({ name, sets: ofGroup });
    }
    const gone = [...this.#snapshots.keys()].filter((name) => !snapshots.has(name));
    const isRegrouped = nodeGroups !== this.#nodeGroups;
    this.#numbers = numbers;
    this.#snapshots = snapshots;
    this.#nodeGroups = nodeGroups;
    if (!isRegrouped) return { sets, groups, gone };
    return { sets, groups, gone, nodeGroups: new Map([...nodeGroups].map(([name, { spec }]) => [name, spec])) };
  }

  #differenceTo(set: ResourceSet, before: ResourceSet | undefined): Omit<SetDifference, "number"> {
    const from = before && this.#numbers.get(before);
    if (from === undefined) return { changed: [...set.values()], removed: [] };
    return { from, ...changesBetween(before ?? emptySet, set) };
  }
}
