import type { GroupImpact } from "../admin-api/writes.ts";
import type { ProxyStatus } from "../proxy-status/proxy-status.ts";
import { resourceTypes } from "../resources/resource-types.ts";
import { emptySnapshot, resourcesOf, type Snapshot } from "../resources/snapshot.ts";

type ResourceChange = GroupImpact["resources"][number];
type Snapshots = ReadonlyMap<string, Snapshot>;

export interface Written {
  readonly before: Snapshots;
  readonly after: Snapshots;
  readonly proxies: readonly ProxyStatus[];
  /** The node group that a proxy belongs to after the write. */
  readonly groupAfter: (proxy: ProxyStatus) => string;
}

/**
 * The resources that proxies should hold after a write and did not hold before it, or the other way round. There is one
 * entry for each node group that changes, and one for each pair of node groups between which proxies move.
 */
export function impactOf({ before, after, proxies, groupAfter }: Written): readonly GroupImpact[] {
  const connected = proxies
    .filter(({ streams }) => streams.length > 0)
    .map((proxy) => ({ nodeId: proxy.nodeId, from: proxy.nodeGroup, nodeGroup: groupAfter(proxy) }));
  const changes = (from: string, to: string) =>
    resourceChanges(before.get(from) ?? emptySnapshot, after.get(to) ?? emptySnapshot);
  const changed = [...new Set([...before.keys(), ...after.keys()])].flatMap((nodeGroup) => {
    const resources = changes(nodeGroup, nodeGroup);
    const staying = connected.filter((proxy) => proxy.from === nodeGroup && proxy.nodeGroup === nodeGroup);
    return resources.length === 0 ? [] : [{ nodeGroup, resources, proxies: staying.map(({ nodeId }) => nodeId) }];
  });
  const moving = connected.filter(({ from, nodeGroup }) => from !== nodeGroup);
  const moves = Map.groupBy(moving, ({ from, nodeGroup }) => JSON.stringify([from, nodeGroup]));
  const moved = [...moves.values()].flatMap((each) => {
    const [first] = each;
    if (first === undefined) return [];
    const { from, nodeGroup } = first;
    return [{ nodeGroup, from, resources: changes(from, nodeGroup), proxies: each.map(({ nodeId }) => nodeId) }];
  });
  return [...changed, ...moved];
}

function resourceChanges(before: Snapshot, after: Snapshot): readonly ResourceChange[] {
  return resourceTypes.flatMap(({ typeUrl, shortName: type }) => {
    const old = resourcesOf(before, typeUrl);
    const wanted = resourcesOf(after, typeUrl);
    // A type without changes keeps the same map, so it need not be compared.
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
