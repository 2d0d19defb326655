import type { Node } from "../publishing/snapshot-cache.ts";
import { worstState } from "./proxy-state.ts";
import type { ProxyStatus, StreamStatus, SyncState } from "./proxy-status.ts";
import type { ProxyOverview, ProxyStatuses } from "./proxy-statuses.ts";

/** What a stream tells of itself, when somebody asks: a push costs nothing here. */
export interface OpenStream {
  readonly node: Node;
  readonly group: () => string;
  /** The worst state of any type; costs a look-up where streams are equal. */
  readonly state: () => SyncState;
  readonly describe: () => StreamStatus;
}

interface Known {
  /** What the proxy said of itself; of one that is gone, what its status tells. */
  readonly node: Node;
  readonly streams: Set<OpenStream>;
  group: string;
  since: number;
}

export interface NodeStatusOptions {
  /** Proxies that are gone are remembered up to this number, the longest gone forgotten first. */
  readonly maxGone: number;
  readonly now: () => number;
}

/** Who is connected to this process, and what each holds: the one owner of what flows up from the proxies. */
export class NodeStatus {
  readonly #known = new Map<string, Known>();
  /** Those without a stream, the longest gone first. */
  readonly #gone = new Set<string>();
  readonly #watchers = new Set<(nodeId: string) => void>();
  readonly #options: NodeStatusOptions;

  constructor(options: NodeStatusOptions) {
    this.#options = options;
  }

  /** A stream opened. The returned function says that it closed. */
  opened(stream: OpenStream): () => void {
    const { id } = stream.node;
    const streams = this.#known.get(id)?.streams ?? new Set();
    streams.add(stream);
    this.#gone.delete(id);
    this.#known.set(id, { node: stream.node, streams, group: stream.group(), since: this.#options.now() });
    this.changed(id);
    return () => this.#closed(id, stream);
  }

  /** Something about a proxy changed: tells the watchers. */
  changed(nodeId: string): void {
    for (const watcher of this.#watchers) watcher(nodeId);
  }

  /** Sorted by node id. */
  all(): readonly ProxyStatus[] {
    return [...this.#known.values()].map(statusOf).sort((a, b) => (a.nodeId < b.nodeId ? -1 : 1));
  }

  /** Those of these node ids that are known. */
  some(nodeIds: readonly string[]): ReadonlyMap<string, ProxyStatus> {
    const known = nodeIds.map((nodeId) => [nodeId, this.get(nodeId)] as const);
    return new Map(known.filter((entry): entry is [string, ProxyStatus] => entry[1] !== undefined));
  }

  /** All, in no order: what is counted at each scrape, so it must cost little for thousands. */
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

/** What this process knows, for those who ask whichever process it is. */
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

/** Without what a proxy says at length, which would be kept of a thousand that are gone. */
function summary({ id, cluster, version }: Node): Node {
  const nowhere = { region: "", zone: "", subZone: "" };
  return { id, cluster, metadata: {}, locality: nowhere, ...(version === undefined ? {} : { version }) };
}

/** That of the newest stream. */
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
