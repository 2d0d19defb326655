import type { Node } from "../model/node.ts";
import { Value } from "../process/watchable.ts";
import { emptySnapshot, type Snapshot } from "../resources/snapshot.ts";

/** One publication: the snapshot of each node group, and the group of each proxy. */
export interface Published {
  readonly snapshots: ReadonlyMap<string, Snapshot>;
  /** Finds the group of a proxy. Stays the same function until NodeGroups change. */
  readonly groupOf: (node: Node) => string;
}

/** The group of a proxy, and the snapshot that the proxy should have. */
export interface Place {
  readonly group: string;
  readonly snapshot: Snapshot;
  /** The function that found the group. */
  readonly groupOf: Published["groupOf"];
}

/**
 * The newest publication, which can be watched. Undefined before the first one, because an empty snapshot would make proxies
 * delete the resources that they have.
 */
export class SnapshotCache extends Value<Published | undefined> {
  constructor() {
    super(undefined);
  }

  /**
   * The place of a proxy. Undefined before the first publication. `before` is the earlier place of the same proxy: its group
   * is used again while `groupOf` is the same function.
   */
  for(node: Node, before?: Place): Place | undefined {
    const published = this.get();
    if (published === undefined) return undefined;
    const { groupOf, snapshots } = published;
    const group = before?.groupOf === groupOf ? before.group : groupOf(node);
    return { group, snapshot: snapshots.get(group) ?? emptySnapshot, groupOf };
  }
}
