import type { ProxyStatus, SyncState } from "./proxy-status.ts";

/** The state of a whole proxy. A proxy without an open stream is disconnected. */
export type ProxyState = SyncState | "disconnected";

/** All states, from best to worst. */
export const proxyStates: readonly ProxyState[] = ["synced", "pending", "rejected", "disconnected"];

/** The worst state of any type on any stream. */
export function proxyState(proxy: ProxyStatus): ProxyState {
  if (proxy.streams.length === 0) return "disconnected";
  return worstState(proxy.streams.flatMap((stream) => stream.types.map((type) => type.state)));
}

/** Rejected is worse than pending, and pending is worse than synced. No states at all count as synced. */
export function worstState(states: readonly SyncState[]): SyncState {
  if (states.includes("rejected")) return "rejected";
  return states.includes("pending") ? "pending" : "synced";
}
