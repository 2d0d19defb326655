import { resourceTypes } from "../resources/resource-types.ts";
import { changesBetween } from "../resources/set-changes.ts";
import { emptySnapshot, type Resource, resourcesOf, type Snapshot } from "../resources/snapshot.ts";
import type { SnapshotCache } from "./snapshot-cache.ts";

/** When each version of each resource was first published. The time is kept while the resource is in memory. */
export class PublicationTimes {
  readonly #times = new WeakMap<Resource, number>();
  #before: ReadonlyMap<string, Snapshot> = new Map();

  /** Notes the present publication and every later one. `now` returns milliseconds since the epoch. */
  constructor(cache: SnapshotCache, now: () => number) {
    const note = (): void => this.#note(cache.get()?.snapshots ?? new Map(), now());
    note();
    cache.watch(note);
  }

  /** Milliseconds since the epoch. Undefined for a resource that was never published. */
  of(resource: Resource): number | undefined {
    return this.#times.get(resource);
  }

  #note(snapshots: ReadonlyMap<string, Snapshot>, now: number): void {
    for (const [group, snapshot] of snapshots) {
      const before = this.#before.get(group) ?? emptySnapshot;
      for (const { typeUrl } of resourceTypes) {
        for (const resource of changesBetween(resourcesOf(before, typeUrl), resourcesOf(snapshot, typeUrl)).changed)
          if (!this.#times.has(resource)) this.#times.set(resource, now);
      }
    }
    this.#before = snapshots;
  }
}
