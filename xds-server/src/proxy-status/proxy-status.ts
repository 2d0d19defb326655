import type { TypeUrl } from "../resources/resource-types.ts";
import type { Version } from "../resources/snapshot.ts";

/** What one proxy holds of what it should hold: the answer to "is it live, and if not, why". */
export interface ProxyStatus {
  /** `node.id`, as the proxy gave it. */
  readonly nodeId: string;
  /** `node.cluster`; empty when the proxy gave none. */
  readonly cluster: string;
  readonly nodeGroup: string;
  /** The proxy's own version, such as "1.40.0"; absent when it gave none. */
  readonly version?: string;
  /** Open streams; empty for a proxy that is gone and still remembered. */
  readonly streams: readonly StreamStatus[];
  /** Milliseconds since the epoch: when the newest stream opened, or the last one closed. */
  readonly since: number;
}

export interface StreamStatus {
  /** Unique in this server's life. */
  readonly id: number;
  /** "127.0.0.1:41234". */
  readonly peer: string;
  readonly variant: "sotw" | "delta";
  readonly openedAt: number;
  readonly types: readonly TypeStatus[];
}

/** rejected wins over pending, pending over synced. A name that does not exist anywhere is synced: the proxy was told so. */
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
  /** What the proxy should hold; absent when the resource does not exist (any more). */
  readonly wanted?: Version;
  /** The version last sent on this stream. */
  readonly sent?: Version;
  /** The version that the proxy last accepted. */
  readonly accepted?: Version;
  /** Present while the newest version sent is rejected. */
  readonly rejection?: Rejection;
}

export interface Rejection {
  readonly version: Version;
  /** The proxy's own words. */
  readonly reason: string;
  /** How many resources are rejected together, where the reason names none of them: each may be the one at fault. */
  readonly suspects?: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
}
