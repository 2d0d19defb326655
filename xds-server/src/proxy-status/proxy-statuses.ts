import type { Node } from "../model/node.ts";
import type { ProxyState } from "./proxy-state.ts";
import type { ProxyStatus } from "./proxy-status.ts";

/** The state of one proxy, without its resources. */
export interface ProxyOverview {
  readonly nodeId: string;
  readonly nodeGroup: string;
  readonly state: ProxyState;
}

/** Reads the status of proxies that are connected, or were recently. */
export interface StatusSource {
  /** The statuses of all proxies, sorted by node id. */
  all(): Promise<readonly ProxyStatus[]>;
  /** The statuses of these node ids, in the same order. Unknown ones are left out. */
  some(nodeIds: readonly string[]): Promise<ReadonlyMap<string, ProxyStatus>>;
  /** The node ids of all proxies, sorted. */
  ids(): Promise<readonly string[]>;
  /** All proxies, in no order. */
  overviews(): Promise<readonly ProxyOverview[]>;
  /** The nodes that the connected proxies sent, in no order. */
  connected(): Promise<readonly Node[]>;
}

/** The proxies of all processes. The admin API, client status and the metrics read them. */
export interface ProxyStatuses extends StatusSource {
  /**
   * Calls the watcher each time after a proxy's status changes: it connects, answers, rejects or disconnects. The returned
   * function ends this.
   */
  watch(watcher: (nodeId: string) => void): () => void;
}
