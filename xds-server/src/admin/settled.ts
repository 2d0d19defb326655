import { setTimeout as pause } from "node:timers/promises";
import type { GroupImpact, Outcome } from "../admin-api/writes.ts";
import { worstState } from "../proxy-status/proxy-state.ts";
import type { ProxyStatus } from "../proxy-status/proxy-status.ts";
import type { AdminDeps } from "./admin-deps.ts";

export interface Waiting {
  readonly impact: readonly GroupImpact[];
  /** The snapshots that were published when the write was made. */
  readonly published: ReturnType<AdminDeps["snapshots"]>;
  readonly timeoutMs: number;
  readonly aborted: AbortSignal;
}

const checkEveryMs = 20;

/** Waits until every affected proxy has accepted or rejected the write, or until the time is up. Returns all outcomes. */
export async function settled(
  { snapshots, proxies }: Pick<AdminDeps, "snapshots" | "proxies">,
  { impact, published, timeoutMs, aborted }: Waiting,
): Promise<readonly Outcome[]> {
  const deadline = performance.now() + timeoutMs;
  const affected = impact.flatMap((group) => group.proxies.map((nodeId) => ({ nodeId, group })));
  const outcomes = new Map<string, Outcome>();
  let open = affected;
  for (;;) {
    const known = await proxies.some(open.map(({ nodeId }) => nodeId));
    open = open.filter(({ nodeId, group }) => {
      const proxy = known.get(nodeId);
      // Before the group's new snapshot is published, its proxies count as synced, because they hold all of the old one.
      const isPublished =
        group.from === undefined
          ? snapshots().get(group.nodeGroup) !== published.get(group.nodeGroup)
          : proxy?.nodeGroup === group.nodeGroup;
      const { isSettled, ...outcome } = outcomeOf(proxy, { nodeId, group, isPublished });
      outcomes.set(nodeId, outcome);
      return !isSettled;
    });
    if (open.length === 0 || aborted.aborted || performance.now() >= deadline) return [...outcomes.values()];
    await pause(checkEveryMs);
  }
}

interface Affected {
  readonly nodeId: string;
  readonly group: GroupImpact;
  /** True when the snapshot with the change is published, or the proxy is in its new node group. */
  readonly isPublished: boolean;
}

interface Settling extends Outcome {
  /** The proxy has accepted or rejected all of the write. */
  readonly isSettled: boolean;
}

function outcomeOf(proxy: ProxyStatus | undefined, { nodeId, group, isPublished }: Affected): Settling {
  const { nodeGroup } = group;
  const nothing = { nodeId, nodeGroup, rejections: [] };
  if (proxy === undefined || proxy.streams.length === 0) return { ...nothing, state: "disconnected", isSettled: true };
  if (!isPublished) return { ...nothing, state: "pending", isSettled: false };
  const touched = new Set(group.resources.map(({ type, name }) => `${type} ${name}`));
  const resources = proxy.streams
    .flatMap((stream) => stream.types)
    .flatMap(({ shortName: type, resources: held }) => held.map((resource) => ({ type, ...resource })))
    .filter(({ type, name }) => touched.has(`${type} ${name}`));
  return {
    nodeId,
    nodeGroup,
    state: worstState(resources.map(({ state }) => state)),
    isSettled: resources.every(({ state }) => state !== "pending"),
    rejections: resources.flatMap(({ type, name, rejection }) =>
      rejection === undefined ? [] : [{ type, name, ...rejection }],
    ),
  };
}
