import { worstState } from "./proxy-state.ts";
import type { ProxyStatus } from "./proxy-status.ts";
import type { ProxyOverview, StatusSource } from "./proxy-statuses.ts";

/**
 * Merges several sources into one. More than one source may know a proxy: it has streams at several sources, or it moved
 * from one source to another. In the second case the former source remembers it as disconnected.
 */
export function mergedStatuses(sources: () => readonly StatusSource[]): StatusSource {
  const fromAll = <T>(ask: (source: StatusSource) => Promise<T>): Promise<T[]> => Promise.all(sources().map(ask));
  return {
    async all() {
      const statuses = (await fromAll((source) => source.all())).flat();
      return [...merged(statuses).values()].sort((a, b) => (a.nodeId < b.nodeId ? -1 : 1));
    },
    async some(nodeIds) {
      const known = await fromAll((source) => source.some(nodeIds));
      const found = merged(known.flatMap((statuses) => [...statuses.values()]));
      return new Map(
        nodeIds.flatMap((nodeId) => {
          const status = found.get(nodeId);
          return status === undefined ? [] : [[nodeId, status] as const];
        }),
      );
    },
    async ids() {
      const ids = await fromAll((source) => source.ids());
      return [...new Set(ids.flat())].sort();
    },
    async overviews() {
      const byId = new Map<string, ProxyOverview>();
      for (const overview of (await fromAll((source) => source.overviews())).flat()) {
        const other = byId.get(overview.nodeId);
        byId.set(overview.nodeId, other === undefined ? overview : mergedOverview(other, overview));
      }
      return [...byId.values()];
    },
    async connected() {
      const nodes = (await fromAll((source) => source.connected())).flat();
      return [...new Map(nodes.map((node) => [node.id, node])).values()];
    },
  };
}

function merged(statuses: readonly ProxyStatus[]): ReadonlyMap<string, ProxyStatus> {
  const byId = new Map<string, ProxyStatus>();
  for (const status of statuses) {
    const other = byId.get(status.nodeId);
    byId.set(status.nodeId, other === undefined ? status : mergedStatus(other, status));
  }
  return byId;
}

/** The streams of both. The other fields are from the status that is connected, or else from the newer one. */
function mergedStatus(a: ProxyStatus, b: ProxyStatus): ProxyStatus {
  const [first, second] = a.since < b.since ? [a, b] : [b, a];
  const streams = [...first.streams, ...second.streams].sort((one, other) => one.openedAt - other.openedAt);
  return { ...(second.streams.length > 0 || first.streams.length === 0 ? second : first), streams };
}

/** When both are connected, the worse state counts, as it does for the streams of one source. */
function mergedOverview(a: ProxyOverview, b: ProxyOverview): ProxyOverview {
  if (a.state === "disconnected") return b;
  return b.state === "disconnected" ? a : { ...b, state: worstState([a.state, b.state]) };
}
