import type { ProxyStatus } from "../cache/proxy-status.ts";
import { resourceTypes } from "../resources/resource-types.ts";
import { emptySnapshot, resourcesOf, type Snapshot } from "../resources/snapshot.ts";

/** What a write changes for the proxies of one node group. */
export interface GroupImpact {
  readonly nodeGroup: string;
  readonly resources: readonly ResourceChange[];
  /** The connected proxies of the group. */
  readonly proxies: readonly string[];
}

interface ResourceChange {
  /** "CDS". */
  readonly type: string;
  readonly name: string;
  readonly change: ChangeWord;
}

export type ChangeWord = "created" | "changed" | "deleted";

type Snapshots = ReadonlyMap<string, Snapshot>;

/** The difference between what proxies should hold before and after a write; node groups that stay as they are are left out. */
export function impactOf(before: Snapshots, after: Snapshots, proxies: readonly ProxyStatus[]): readonly GroupImpact[] {
  const groups = [...new Set([...before.keys(), ...after.keys()])];
  return groups.flatMap((nodeGroup) => {
    const resources = resourceChanges(before.get(nodeGroup) ?? emptySnapshot, after.get(nodeGroup) ?? emptySnapshot);
    if (resources.length === 0) return [];
    const connected = proxies.filter((proxy) => proxy.nodeGroup === nodeGroup && proxy.streams.length > 0);
    return [{ nodeGroup, resources, proxies: connected.map(({ nodeId }) => nodeId) }];
  });
}

function resourceChanges(before: Snapshot, after: Snapshot): readonly ResourceChange[] {
  return resourceTypes.flatMap(({ typeUrl, shortName: type }) => {
    const old = resourcesOf(before, typeUrl);
    const wanted = resourcesOf(after, typeUrl);
    // An unchanged type keeps its very set, so a large mesh costs nothing here.
    if (old === wanted) return [];
    const changes: ResourceChange[] = [];
    for (const [name, { version }] of wanted) {
      const held = old.get(name);
      if (held === undefined) changes.push({ type, name, change: "created" });
      else if (held.version !== version) changes.push({ type, name, change: "changed" });
    }
    for (const name of old.keys()) if (!wanted.has(name)) changes.push({ type, name, change: "deleted" });
    return changes;
  });
}
