import type { ClusterReport, LoadCounts, LoadMetric, Locality } from "./load-report.ts";
import { addTree, type LoadNode, newLoadNode, size, takeReport } from "./load-tree.ts";

/** What one place takes. Counts run from when it was first reported until it is idle for long. */
export interface Load extends LoadCounts {
  /** Requests sent in each second of the last interval. */
  readonly perSecond: number;
  /** Left out where nothing was said. */
  readonly metrics?: readonly LoadMetric[];
}

export interface EndpointLoad extends Load {
  readonly address: string;
}

export interface LocalityLoad extends Load, Locality {
  readonly endpoints: readonly EndpointLoad[];
}

export interface ClusterLoad extends Load {
  readonly cluster: string;
  /** How many proxies reported it. */
  readonly proxies: number;
  /** Requests dropped on purpose: by a drop policy, or over a circuit breaker's limit. */
  readonly dropped: number;
  readonly localities: readonly LocalityLoad[];
}

/** The load on everything behind one proxy. */
export interface ProxyLoad extends LoadCounts {
  readonly clusters: number;
  readonly perSecond: number;
  readonly dropped: number;
  /** Milliseconds since the epoch: the last report. */
  readonly reportedAt: number;
}

/** How far a reader looks into clusters. */
export type LoadDetail = "cluster" | "locality" | "endpoint";

export interface LoadQuery {
  /** Absent: all. */
  readonly nodeId?: string | undefined;
  readonly cluster?: string | undefined;
  readonly detail: LoadDetail;
}

/** What a report adds to a cluster, for counters. */
export interface CountedLoad extends Pick<LoadCounts, "succeeded" | "failed"> {
  readonly cluster: string;
  readonly dropped: number;
}

export interface LoadReportsOptions {
  /** Clusters, localities and endpoints kept, over all proxies. */
  readonly maxPlaces: number;
  /** The same of one proxy, so that none takes the room of all. */
  readonly maxPlacesPerProxy: number;
  /** What was not reported for so long is forgotten, in milliseconds. */
  readonly idleMs: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly counted: (load: CountedLoad) => void;
}

/** Reports of one proxy, as long as its stream is open. */
export interface LoadSource {
  /** Where it gives a promise, the next report waits for it. */
  report(clusters: readonly ClusterReport[]): Promise<void> | undefined;
  close(): void;
}

/** One whose reports are taken at once. */
export interface DirectLoadSource extends LoadSource {
  report(clusters: readonly ClusterReport[]): undefined;
}

/** Takes what proxies report. */
export interface LoadSink {
  opened(nodeId: string): LoadSource;
}

/** How much proxies ask of what is behind them: the owner of what load reporting tells. A proxy that goes is forgotten. */
export class LoadReports implements LoadSink {
  /** By node id: one tree for each of a proxy's streams, of which it has two for a moment when it reconnects. */
  readonly #trees = new Map<string, Set<LoadNode>>();
  readonly #options: LoadReportsOptions;
  #places = 0;
  #omitted = 0;

  constructor(options: LoadReportsOptions) {
    this.#options = options;
  }

  opened(nodeId: string): DirectLoadSource {
    const tree = newLoadNode();
    const trees = this.#trees.get(nodeId) ?? new Set();
    this.#trees.set(nodeId, trees.add(tree));
    return {
      report: (clusters) => {
        this.#take(tree, trees, clusters);
        return undefined;
      },
      close: () => {
        if (!trees.delete(tree)) return;
        this.#places -= placesIn([tree]);
        if (trees.size === 0) this.#trees.delete(nodeId);
      },
    };
  }

  /** Places that were reported and not kept since the server started, because there were too many. */
  get omitted(): number {
    return this.#omitted;
  }

  /** By cluster, over all proxies or one, sorted by name. */
  clusters({ nodeId, cluster, detail }: LoadQuery): readonly ClusterLoad[] {
    const merged = newLoadNode();
    for (const tree of this.#treesOf(nodeId)) {
      for (const [name, node] of tree.inner) {
        if (cluster !== undefined && name !== cluster) continue;
        const there = merged.inner.get(name) ?? newLoadNode();
        merged.inner.set(name, there);
        addTree(there, node, depths[detail]);
      }
    }
    return sorted(merged).map(([name, node]) => clusterLoad(name, node));
  }

  /** Undefined for a proxy that has reported nothing. */
  proxy(nodeId: string): ProxyLoad | undefined {
    const merged = newLoadNode();
    for (const tree of this.#treesOf(nodeId)) addTree(merged, tree, 1);
    const { counts, perSecond, dropped, reportedAt, inner } = merged;
    return reportedAt === 0 ? undefined : { clusters: inner.size, ...counts, perSecond, dropped, reportedAt };
  }

  #treesOf(nodeId: string | undefined): Iterable<LoadNode> {
    return nodeId === undefined
      ? [...this.#trees.values()].flatMap((trees) => [...trees])
      : (this.#trees.get(nodeId) ?? []);
  }

  #take(tree: LoadNode, ofProxy: ReadonlySet<LoadNode>, clusters: readonly ClusterReport[]): void {
    const { maxPlaces, maxPlacesPerProxy, idleMs, now, counted } = this.#options;
    const room = Math.min(maxPlaces - this.#places, maxPlacesPerProxy - placesIn(ofProxy));
    const { added, omitted, forgotten } = takeReport(tree, clusters, { now: now(), idleMs, room });
    this.#places += added - forgotten;
    this.#omitted += omitted;
    for (const { cluster, dropped, localities } of clusters) {
      const sumOf = (result: "succeeded" | "failed") => localities.reduce((sum, { counts }) => sum + counts[result], 0);
      counted({ cluster, dropped, succeeded: sumOf("succeeded"), failed: sumOf("failed") });
    }
  }
}

function placesIn(trees: Iterable<LoadNode>): number {
  let places = 0;
  for (const tree of trees) places += size(tree) - 1;
  return places;
}

const depths: Readonly<Record<LoadDetail, number>> = { cluster: 0, locality: 1, endpoint: 2 };

function clusterLoad(cluster: string, node: LoadNode): ClusterLoad {
  const localities = sorted(node).map(([, inner]) => localityLoad(inner));
  return { cluster, proxies: node.sources, ...loadOf(node), dropped: node.dropped, localities };
}

function localityLoad(node: LoadNode): LocalityLoad {
  const { region = "", zone = "", subZone = "", priority = 0 } = node.locality ?? {};
  const endpoints = sorted(node).map(([address, inner]) => ({ address, ...loadOf(inner) }));
  return { region, zone, subZone, priority, ...loadOf(node), endpoints };
}

function loadOf({ counts, perSecond, metrics }: LoadNode): Load {
  return { ...counts, perSecond, ...(metrics.size === 0 ? {} : { metrics: [...metrics.values()] }) };
}

function sorted({ inner }: LoadNode): readonly (readonly [string, LoadNode])[] {
  return [...inner].sort(([a], [b]) => (a < b ? -1 : 1));
}
