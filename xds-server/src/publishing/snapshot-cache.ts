import type { Node } from "../model/node.ts";
import { Value } from "../process/watchable.ts";
import { emptySnapshot, type Snapshot } from "../resources/snapshot.ts";

/** What was last published: a snapshot for each node group, and who belongs to which. */
export interface Published {
  readonly snapshots: ReadonlyMap<string, Snapshot>;
  /** The same function as long as it answers the same. */
  readonly groupOf: (node: Node) => string;
}

/** Where a proxy belongs, and what it should hold. */
export interface Place {
  readonly group: string;
  readonly snapshot: Snapshot;
  /** What found the group. */
  readonly groupOf: Published["groupOf"];
}

/**
 * The newest snapshot of each node group, and word of each later one. Undefined before the first publication: to say
 * "nothing" then would make proxies drop what they have.
 */
export class SnapshotCache extends Value<Published | undefined> {
  constructor() {
    super(undefined);
  }

  /**
   * The place of a proxy; undefined before the first publication. `before` is the same proxy's last: its group holds as
   * long as groups are found in the same way.
   */
  for(node: Node, before?: Place): Place | undefined {
    const published = this.get();
    if (published === undefined) return undefined;
    const { groupOf, snapshots } = published;
    const group = before?.groupOf === groupOf ? before.group : groupOf(node);
    return { group, snapshot: snapshots.get(group) ?? emptySnapshot, groupOf };
  }
}
