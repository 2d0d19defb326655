import type { TypeUrl } from "../resources/resource-types.ts";
import type { Version } from "../resources/snapshot.ts";

/** Which versions one proxy holds and should hold. It answers "is my change live, and if not, why?". */
export interface ProxyStatus {
  /** `node.id`, as the proxy sent it. */
  readonly nodeId: string;
  /** `node.cluster`. Empty when the proxy sent none. */
  readonly cluster: string;
  readonly nodeGroup: string;
  /** The version of the proxy itself, such as "1.40.0". Absent when it sent none. */
  readonly version?: string;
  /** The open streams. Empty for a disconnected proxy. */
  readonly streams: readonly StreamStatus[];
  /** When the newest stream opened or the last one closed, in milliseconds since the epoch. */
  readonly since: number;
}

export interface StreamStatus {
  /** Unique until the server restarts. */
  readonly id: number;
  /** The proxy's address, such as "127.0.0.1:41234". */
  readonly peer: string;
  readonly variant: "sotw" | "delta";
  readonly openedAt: number;
  readonly types: readonly TypeStatus[];
}

/**
 * Rejected is worse than pending, and pending is worse than synced. A name that does not exist is synced, unless its
 * deletion is still to be sent.
 */
export type SyncState = "synced" | "pending" | "rejected";

export interface TypeStatus {
  readonly typeUrl: TypeUrl;
  readonly shortName: string;
  readonly state: SyncState;
  readonly resources: readonly ResourceStatus[];
}

export interface ResourceStatus {
  readonly name: string;
  readonly state: SyncState;
  /** The version that the proxy should hold. Absent when the resource does not exist. */
  readonly wanted?: Version;
  /** The version last sent on this stream. */
  readonly sent?: Version;
  /** The version that the proxy last accepted. */
  readonly accepted?: Version;
  /** Why the newest version is rejected. Absent when it is not. */
  readonly rejection?: Rejection;
}

export interface Rejection {
  readonly version: Version;
  /** The error detail of the proxy's NACK. */
  readonly reason: string;
  /** The number of resources rejected together when the reason names none of them. Any of them may be at fault. */
  readonly suspects?: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
}
