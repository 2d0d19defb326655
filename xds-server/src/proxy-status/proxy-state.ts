import type { ProxyStatus, SyncState } from "./proxy-status.ts";

/** One word for a whole proxy. A proxy without an open stream is disconnected, whatever it held before. */
export type ProxyState = SyncState | "disconnected";

/** All states, the best first. */
export const proxyStates: readonly ProxyState[] = ["synced", "pending", "rejected", "disconnected"];

/** The worst state of any type on any stream: rejected wins over pending, pending over synced. */
export function proxyState(proxy: ProxyStatus): ProxyState {
  if (proxy.streams.length === 0) return "disconnected";
  return worstState(proxy.streams.flatMap((stream) => stream.types.map((type) => type.state)));
}

/** rejected wins over pending, pending over synced; synced when there is nothing to hold. */
export function worstState(states: readonly SyncState[]): SyncState {
  if (states.includes("rejected")) return "rejected";
  return states.includes("pending") ? "pending" : "synced";
}
