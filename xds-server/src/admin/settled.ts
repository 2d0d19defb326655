import { setTimeout as pause } from "node:timers/promises";
import { type ProxyState, worstState } from "../cache/proxy-state.ts";
import type { ProxyStatus, Refusal } from "../cache/proxy-status.ts";
import type { AdminDeps } from "./admin-deps.ts";
import type { GroupImpact } from "./impact.ts";

/** What became of a write on one proxy. */
export interface Outcome {
  readonly nodeId: string;
  readonly nodeGroup: string;
  readonly state: ProxyState;
  /** What the proxy refused of this write, in its own words. */
  readonly refusals: readonly ResourceRefusal[];
}

export interface ResourceRefusal extends Refusal {
  /** "ECDS". */
  readonly type: string;
  readonly name: string;
}

export interface Waiting {
  readonly impact: readonly GroupImpact[];
  /** The published snapshots as they were when the write was made. */
  readonly published: ReturnType<AdminDeps["snapshots"]>;
  readonly timeoutMs: number;
  readonly aborted: AbortSignal;
}

const checkEveryMs = 20;

/** Waits until every touched proxy has taken or refused the write, or time is up, and tells what each one did. */
export async function settled(
  { snapshots, proxies }: Pick<AdminDeps, "snapshots" | "proxies">,
  { impact, published, timeoutMs, aborted }: Waiting,
): Promise<readonly Outcome[]> {
  const deadline = performance.now() + timeoutMs;
  const expectations = impact.flatMap((group) => group.proxies.map((nodeId) => ({ nodeId, group })));
  const outcomes = new Map<string, Outcome>();
  let open = expectations;
  for (;;) {
    for (const { nodeId, group } of open) {
      // Until the group's new snapshot is out, its proxies look synced with the old one.
      const isOut = snapshots().get(group.nodeGroup) !== published.get(group.nodeGroup);
      outcomes.set(nodeId, outcomeOf(proxies.get(nodeId), { nodeId, group, isOut }));
    }
    open = open.filter(({ nodeId }) => outcomes.get(nodeId)?.state === "pending");
    if (open.length === 0 || aborted.aborted || performance.now() >= deadline) return [...outcomes.values()];
    await pause(checkEveryMs);
  }
}

interface Expectation {
  readonly nodeId: string;
  readonly group: GroupImpact;
  readonly isOut: boolean;
}

function outcomeOf(proxy: ProxyStatus | undefined, { nodeId, group, isOut }: Expectation): Outcome {
  const { nodeGroup } = group;
  if (proxy === undefined || proxy.streams.length === 0)
    return { nodeId, nodeGroup, state: "disconnected", refusals: [] };
  if (!isOut) return { nodeId, nodeGroup, state: "pending", refusals: [] };
  const touched = new Set(group.resources.map(({ type, name }) => `${type} ${name}`));
  const resources = proxy.streams
    .flatMap((stream) => stream.types)
    .flatMap(({ shortName: type, resources: held }) => held.map((resource) => ({ type, ...resource })))
    .filter(({ type, name }) => touched.has(`${type} ${name}`));
  return {
    nodeId,
    nodeGroup,
    state: worstState(resources.map(({ state }) => state)),
    refusals: resources.flatMap(({ type, name, refusal }) =>
      refusal === undefined ? [] : [{ type, name, ...refusal }],
    ),
  };
}
