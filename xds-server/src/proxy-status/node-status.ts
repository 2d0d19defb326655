import { type Node, nowhere } from "../model/node.ts";
import { worstState } from "./proxy-state.ts";
import type { ProxyStatus, StreamStatus, SyncState } from "./proxy-status.ts";
import type { ProxyOverview, ProxyStatuses } from "./proxy-statuses.ts";

/** An open stream. Its status is computed when it is read, so a push costs nothing here. */
export interface OpenStream {
  readonly node: Node;
  readonly group: () => string;
  /** The worst state of any type. Streams in the same state share the result, so it costs one look-up. */
  readonly state: () => SyncState;
  readonly describe: () => StreamStatus;
}

interface Known {
  /** The node that the proxy sent. For a disconnected proxy, only the fields that its status has. */
  readonly node: Node;
  readonly streams: Set<OpenStream>;
  group: string;
  since: number;
}

export interface NodeStatusOptions {
  /** The maximum number of disconnected proxies that are remembered. The longest disconnected is forgotten first. */
  readonly maxGone: number;
  readonly now: () => number;
}

/** The proxies that are connected to this process, and the status of each. It is the only owner of this state. */
export class NodeStatus {
  readonly #known = new Map<string, Known>();
  /** Node ids of proxies without a stream, the longest disconnected first. */
  readonly #gone = new Set<string>();
  readonly #watchers = new Set<(nodeId: string) => void>();
  readonly #options: NodeStatusOptions;

  constructor(options: NodeStatusOptions) {
    this.#options = options;
  }

  /** Adds an open stream. Call the returned function when the stream closes. */
  opened(stream: OpenStream): () => void {
    const { id } = stream.node;
    const streams = this.#known.get(id)?.streams ?? new Set();
    streams.add(stream);
    this.#gone.delete(id);
    this.#known.set(id, { node: stream.node, streams, group: stream.group(), since: this.#options.now() });
    this.changed(id);
    return () => this.#closed(id, stream);
  }

  /** Calls the watchers after a proxy's status changed. */
  changed(nodeId: string): void {
    for (const watcher of this.#watchers) watcher(nodeId);
  }

  /** The statuses of all proxies, sorted by node id. */
  all(): readonly ProxyStatus[] {
    return [...this.#known.values()].map(statusOf).sort((a, b) => (a.nodeId < b.nodeId ? -1 : 1));
  }

  /** The statuses of these node ids. Unknown ones are left out. */
  some(nodeIds: readonly string[]): ReadonlyMap<string, ProxyStatus> {
    const known = nodeIds.map((nodeId) => [nodeId, this.get(nodeId)] as const);
    return new Map(known.filter((entry): entry is [string, ProxyStatus] => entry[1] !== undefined));
  }

  /** All proxies, in no order. Each scrape of the metrics counts them, so this must be cheap for thousands of proxies. */
  overviews(): readonly ProxyOverview[] {
    return [...this.#known.values()].map((known) => {
      const { node, streams } = known;
      const state = streams.size === 0 ? "disconnected" : worstState([...streams].map((stream) => stream.state()));
      return { nodeId: node.id, nodeGroup: groupOf(known), state };
    });
  }

  ids(): readonly string[] {
    return [...this.#known.keys()].sort();
  }

  get(nodeId: string): ProxyStatus | undefined {
    const known = this.#known.get(nodeId);
    return known && statusOf(known);
  }

  isConnected(nodeId: string): boolean {
    return (this.#known.get(nodeId)?.streams.size ?? 0) > 0;
  }

  connected(): readonly Node[] {
    return [...this.#known.values()].flatMap(({ node, streams }) => (streams.size === 0 ? [] : [node]));
  }

  watch(watcher: (nodeId: string) => void): () => void {
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }

  #closed(id: string, stream: OpenStream): void {
    const known = this.#known.get(id);
    if (known === undefined || !known.streams.delete(stream)) return;
    if (known.streams.size === 0) {
      this.#known.set(id, {
        node: summary(known.node),
        streams: known.streams,
        group: stream.group(),
        since: this.#options.now(),
      });
      this.#gone.add(id);
      this.#forgetLongestGone();
    }
    this.changed(id);
  }

  #forgetLongestGone(): void {
    for (const id of this.#gone) {
      if (this.#gone.size <= this.#options.maxGone) return;
      this.#gone.delete(id);
      this.#known.delete(id);
    }
  }
}

/** The statuses of this process behind the asynchronous interface, which may also stand for several processes. */
export function localStatuses(statuses: NodeStatus): ProxyStatuses {
  return {
    all: async () => statuses.all(),
    some: async (nodeIds) => statuses.some(nodeIds),
    ids: async () => statuses.ids(),
    overviews: async () => statuses.overviews(),
    connected: async () => statuses.connected(),
    watch: (watcher) => statuses.watch(watcher),
  };
}

/** The node without its metadata and locality. These may be large, and are not needed after a proxy disconnects. */
function summary({ id, cluster, version }: Node): Node {
  return { id, cluster, metadata: {}, locality: nowhere, ...(version === undefined ? {} : { version }) };
}

/** The group of the newest stream, or the last known one. */
function groupOf({ streams, group }: Known): string {
  return [...streams].at(-1)?.group() ?? group;
}

function statusOf(known: Known): ProxyStatus {
  const { node, streams, since } = known;
  return {
    nodeId: node.id,
    cluster: node.cluster,
    nodeGroup: groupOf(known),
    ...(node.version === undefined ? {} : { version: node.version }),
    streams: [...streams].map((stream) => stream.describe()),
    since,
  };
}
