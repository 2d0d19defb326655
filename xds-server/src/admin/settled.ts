import { setTimeout as pause } from "node:timers/promises";
import type { GroupImpact, Outcome } from "../admin-api/writes.ts";
import { worstState } from "../proxy-status/proxy-state.ts";
import type { ProxyStatus } from "../proxy-status/proxy-status.ts";
import type { AdminDeps } from "./admin-deps.ts";

export interface Waiting {
  readonly impact: readonly GroupImpact[];
  /** The published snapshots as they were when the write was made. */
  readonly published: ReturnType<AdminDeps["snapshots"]>;
  readonly timeoutMs: number;
  readonly aborted: AbortSignal;
}

const checkEveryMs = 20;

/** Waits until every touched proxy has taken or rejected the write, or time is up, and tells what each one did. */
export async function settled(
  { snapshots, proxies }: Pick<AdminDeps, "snapshots" | "proxies">,
  { impact, published, timeoutMs, aborted }: Waiting,
): Promise<readonly Outcome[]> {
  const deadline = performance.now() + timeoutMs;
  const expectations = impact.flatMap((group) => group.proxies.map((nodeId) => ({ nodeId, group })));
  const outcomes = new Map<string, Outcome>();
  let open = expectations;
  for (;;) {
    const known = await proxies.some(open.map(({ nodeId }) => nodeId));
    open = open.filter(({ nodeId, group }) => {
      const proxy = known.get(nodeId);
      // Until the group's new snapshot is out, its proxies look synced with the old one.
      const isOut =
        group.from === undefined
          ? snapshots().get(group.nodeGroup) !== published.get(group.nodeGroup)
          : proxy?.nodeGroup === group.nodeGroup;
      const { isSettled, ...outcome } = outcomeOf(proxy, { nodeId, group, isOut });
      outcomes.set(nodeId, outcome);
      return !isSettled;
    });
    if (open.length === 0 || aborted.aborted || performance.now() >= deadline) return [...outcomes.values()];
    await pause(checkEveryMs);
  }
}

interface Expectation {
  readonly nodeId: string;
  readonly group: GroupImpact;
  readonly isOut: boolean;
}

interface Settling extends Outcome {
  /** Nothing of the write is left to answer, be it taken or rejected. */
  readonly isSettled: boolean;
}

function outcomeOf(proxy: ProxyStatus | undefined, { nodeId, group, isOut }: Expectation): Settling {
  const { nodeGroup } = group;
  const nothing = { nodeId, nodeGroup, rejections: [] };
  if (proxy === undefined || proxy.streams.length === 0) return { ...nothing, state: "disconnected", isSettled: true };
  if (!isOut) return { ...nothing, state: "pending", isSettled: false };
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
