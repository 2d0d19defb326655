import type { Node } from "../publishing/snapshot-cache.ts";
import type { ProxyState } from "./proxy-state.ts";
import type { ProxyStatus } from "./proxy-status.ts";

/** The state of one proxy, without its resources. */
export interface ProxyOverview {
  readonly nodeId: string;
  readonly nodeGroup: string;
  readonly state: ProxyState;
}

/** What can be asked of proxies that are connected or were lately. */
export interface StatusSource {
  /** Sorted by node id. */
  all(): Promise<readonly ProxyStatus[]>;
  /** Those of these node ids that are known, in the same order. */
  some(nodeIds: readonly string[]): Promise<ReadonlyMap<string, ProxyStatus>>;
  /** The node ids of all, sorted. */
  ids(): Promise<readonly string[]>;
  /** All, in no order. */
  overviews(): Promise<readonly ProxyOverview[]>;
  /** What each connected proxy says of itself, in no order. */
  connected(): Promise<readonly Node[]>;
}

/** All proxies, whichever process serves them. Read by the admin API, client status and the metrics. */
export interface ProxyStatuses extends StatusSource {
  /** Calls back after a proxy's status changed (connected, answered, rejected, gone), until the returned function is called. */
  watch(watcher: (nodeId: string) => void): () => void;
}
