import type { Resource, ResourceSet } from "./snapshot.ts";

/** The changes from one set of resources to another. */
export interface SetChanges {
  /** Resources that are new or have another version. */
  readonly changed: readonly Resource[];
  /** The names of resources that are only in the first set. */
  readonly removed: readonly string[];
}

const none: SetChanges = { changed: [], removed: [] };

/** Known changes, by the set before and the set after. Kept while both sets are in use. */
const known = new WeakMap<ResourceSet, WeakMap<ResourceSet, SetChanges>>();

/** The changes from one set to another. Two sets are compared only once, and not at all after `noteChanges`. */
export function changesBetween(before: ResourceSet, after: ResourceSet): SetChanges {
  if (before === after) return none;
  const noted = known.get(before)?.get(after);
  if (noted !== undefined) return noted;
  const changes = compared(before, after);
  noteChanges(before, after, changes);
  return changes;
}

/** Records known changes. For code that builds the second set from the first, so that the two need not be compared. */
export function noteChanges(before: ResourceSet, after: ResourceSet, changes: SetChanges): void {
  const byAfter = known.get(before) ?? new WeakMap<ResourceSet, SetChanges>();
  known.set(before, byAfter.set(after, changes));
}

function compared(before: ResourceSet, after: ResourceSet): SetChanges {
  const changed: Resource[] = [];
  for (const resource of after.values()) {
    if (before.get(resource.name)?.version !== resource.version) changed.push(resource);
  }
  const removed: string[] = [];
  for (const name of before.keys()) if (!after.has(name)) removed.push(name);
  return { changed, removed };
}
