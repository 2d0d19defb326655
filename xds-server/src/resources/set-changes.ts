import type { Resource, ResourceSet } from "./snapshot.ts";

/** What makes one set of resources out of another. */
export interface SetChanges {
  /** What is new, or has another version. */
  readonly changed: readonly Resource[];
  /** The names of what is gone. */
  readonly removed: readonly string[];
}

const none: SetChanges = { changed: [], removed: [] };

/** By the set before and the set after, as long as both are in use. */
const known = new WeakMap<ResourceSet, WeakMap<ResourceSet, SetChanges>>();

/** What changed from one set to another: found once for all who ask, and at once where `noteChanges` told it. */
export function changesBetween(before: ResourceSet, after: ResourceSet): SetChanges {
  if (before === after) return none;
  const noted = known.get(before)?.get(after);
  if (noted !== undefined) return noted;
  const changes = compared(before, after);
  noteChanges(before, after, changes);
  return changes;
}

/** For who made the second set out of the first, and so need not compare them. */
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
