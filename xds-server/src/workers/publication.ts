import type { Document } from "../model/document.ts";
import type { NodeGroupSpec } from "../model/node-group.ts";
import type { TypeUrl } from "../resources/resource-types.ts";
import { changesBetween } from "../resources/set-changes.ts";
import type { Resource, ResourceSet, Snapshot } from "../resources/snapshot.ts";

/** What a worker is told to hold what was published: the difference to what it holds already. */
export interface Publication {
  /** The sets that are new to it. */
  readonly sets: readonly SetDifference[];
  /** The node groups whose snapshot is another now, with the numbers of its sets. */
  readonly groups: readonly GroupSets[];
  /** The node groups that are gone. */
  readonly gone: readonly string[];
  /** Who belongs to which group, all of it. Absent: as before. */
  readonly nodeGroups?: ReadonlyMap<string, NodeGroupSpec>;
}

export interface SetDifference {
  readonly number: number;
  /** The set that it is made of; absent: of nothing. */
  readonly from?: number;
  readonly changed: readonly Resource[];
  readonly removed: readonly string[];
}

export interface GroupSets {
  readonly name: string;
  readonly sets: readonly (readonly [TypeUrl, number])[];
}

/** What was published, as data. */
export interface PublishedData {
  readonly snapshots: ReadonlyMap<string, Snapshot>;
  /** The same object as long as nothing about it changed. */
  readonly nodeGroups: ReadonlyMap<string, Pick<Document<"NodeGroup">, "spec">>;
}

const emptySet: ResourceSet = new Map();

/**
 * What one worker holds, and so what it must be told. Resources go over as bytes, each once; sets are known by number, so
 * that groups and types which share one share it there too. Both sides keep the sets that are in use, and no others.
 */
export class PublicationEncoder {
  #numbers: ReadonlyMap<ResourceSet, number> = new Map();
  #snapshots: ReadonlyMap<string, Snapshot> = new Map();
  #nodeGroups: PublishedData["nodeGroups"] | undefined;
  #lastNumber = 0;

  /** The difference to what was asked for last, which the worker holds from now on. */
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
