import { worstState } from "./proxy-state.ts";
import type { ProxyStatus } from "./proxy-status.ts";
import type { ProxyOverview, StatusSource } from "./proxy-statuses.ts";

/**
 * Several sources as one. A proxy may be known to more than one: it opened its streams on several connections, or left
 * one source for another, which remembers it as gone.
 */
export function mergedStatuses(sources: () => readonly StatusSource[]): StatusSource {
  const each = <T>(ask: (source: StatusSource) => Promise<T>): Promise<T[]> => Promise.all(sources().map(ask));
  return {
    async all() {
      const statuses = (await each((source) => source.all())).flat();
      return [...merged(statuses).values()].sort((a, b) => (a.nodeId < b.nodeId ? -1 : 1));
    },
    async some(nodeIds) {
      const known = await each((source) => source.some(nodeIds));
      const found = merged(known.flatMap((statuses) => [...statuses.values()]));
      return new Map(
        nodeIds.flatMap((nodeId) => {
          const status = found.get(nodeId);
          return status === undefined ? [] : [[nodeId, status] as const];
        }),
      );
    },
    async ids() {
      const ids = await each((source) => source.ids());
      return [...new Set(ids.flat())].sort();
    },
    async overviews() {
      const byId = new Map<string, ProxyOverview>();
      for (const overview of (await each((source) => source.overviews())).flat()) {
        const other = byId.get(overview.nodeId);
        byId.set(overview.nodeId, other === undefined ? overview : oneOverview(other, overview));
      }
      return [...byId.values()];
    },
    async connected() {
      const nodes = (await each((source) => source.connected())).flat();
      return [...new Map(nodes.map((node) => [node.id, node])).values()];
    },
  };
}

function merged(statuses: readonly ProxyStatus[]): ReadonlyMap<string, ProxyStatus> {
  const byId = new Map<string, ProxyStatus>();
  for (const status of statuses) {
    const other = byId.get(status.nodeId);
    byId.set(status.nodeId, other === undefined ? status : both(other, status));
  }
  return byId;
}

/** The streams of both; for the rest the one speaks that is connected, or heard last. */
function both(a: ProxyStatus, b: ProxyStatus): ProxyStatus {
  const [first, second] = a.since < b.since ? [a, b] : [b, a];
  const streams = [...first.streams, ...second.streams].sort((one, other) => one.openedAt - other.openedAt);
  return { ...(second.streams.length > 0 || first.streams.length === 0 ? second : first), streams };
}

/** Where both are connected, the worse state counts, as it does over the streams of one. */
function oneOverview(a: ProxyOverview, b: ProxyOverview): ProxyOverview {
  if (a.state === "disconnected") return b;
  return b.state === "disconnected" ? a : { ...b, state: worstState([a.state, b.state]) };
}
