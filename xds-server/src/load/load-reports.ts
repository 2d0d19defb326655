import type { ClusterReport, LoadCounts, LoadMetric, PrioritizedLocality } from "./load-report.ts";
import { addReport, addTree, type LoadNode, newLoadNode, size } from "./load-tree.ts";

/** The load on one place. Counts start at its first report, and start again after it was idle and forgotten. */
export interface Load extends LoadCounts {
  /** Requests sent per second in the last interval. */
  readonly perSecond: number;
  /** Absent when no metrics were reported. */
  readonly metrics?: readonly LoadMetric[];
}

export interface EndpointLoad extends Load {
  readonly address: string;
}

export interface LocalityLoad extends Load, PrioritizedLocality {
  readonly endpoints: readonly EndpointLoad[];
}

export interface ClusterLoad extends Load {
  readonly cluster: string;
  /** The number of proxies that reported the cluster. */
  readonly proxies: number;
  /** Requests that the proxies dropped by a drop policy, or over a circuit breaker's limit. */
  readonly dropped: number;
  readonly localities: readonly LocalityLoad[];
}

/** The load on all clusters behind one proxy. */
export interface ProxyLoad extends LoadCounts {
  readonly clusters: number;
  readonly perSecond: number;
  readonly dropped: number;
  /** The time of the last report, in milliseconds since the epoch. */
  readonly reportedAt: number;
}

/** The finest places that an answer lists. */
export type LoadDetail = "cluster" | "locality" | "endpoint";

export interface LoadQuery {
  /** Absent: all proxies, or all clusters. */
  readonly nodeId?: string | undefined;
  readonly cluster?: string | undefined;
  readonly detail: LoadDetail;
}

/** The requests that one report adds to a cluster. Metrics count them. */
export interface CountedLoad extends Pick<LoadCounts, "succeeded" | "failed"> {
  readonly cluster: string;
  readonly dropped: number;
}

export interface LoadReportsOptions {
  /** The maximum number of places kept for all proxies. A place is a cluster, a locality or an endpoint. */
  readonly maxPlaces: number;
  /** The maximum number of places kept for one proxy, so that none can use up all places. */
  readonly maxPlacesPerProxy: number;
  /** A place that was not reported for this time is forgotten, in milliseconds. */
  readonly idleMs: number;
  /** The time, in milliseconds since the epoch. */
  readonly now: () => number;
  readonly counted: (load: CountedLoad) => void;
}

/** The reports of one proxy's stream. */
export interface LoadSource {
  /** Adds a report. If this returns a promise, the next report must wait for it. */
  report(clusters: readonly ClusterReport[]): Promise<void> | undefined;
  close(): void;
}

/** A source that adds each report at once. */
export interface DirectLoadSource extends LoadSource {
  report(clusters: readonly ClusterReport[]): undefined;
}

/** Receives the reports of proxies. */
export interface LoadSink {
  opened(nodeId: string): LoadSource;
}

/** The load that proxies report, and its only owner. The reports of a proxy are forgotten when it disconnects. */
export class LoadReports implements LoadSink {
  /** By node id, one tree for each stream of the proxy. It has two for a short time when it reconnects. */
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
        this.#add(tree, trees, clusters);
        return undefined;
      },
      close: () => {
        if (!trees.delete(tree)) return;
        this.#places -= placesIn([tree]);
        if (trees.size === 0) this.#trees.delete(nodeId);
      },
    };
  }

  /** The number of reported places that were not kept because of a limit, since the server started. */
  get omitted(): number {
    return this.#omitted;
  }

  /** The load by cluster, of all proxies or one, sorted by name. */
  clusters({ nodeId, cluster, detail }: LoadQuery): readonly ClusterLoad[] {
    const merged = newLoadNode();
    for (const tree of this.#treesOf(nodeId)) {
      for (const [name, node] of tree.inner) {
        if (cluster !== undefined && name !== cluster) continue;
        const target = merged.inner.get(name) ?? newLoadNode();
        merged.inner.set(name, target);
        addTree(target, node, depths[detail]);
      }
    }
    return sorted(merged).map(([name, node]) => clusterLoad(name, node));
  }

  /** The load of one proxy. Undefined when it has reported nothing. */
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

  #add(tree: LoadNode, ofProxy: ReadonlySet<LoadNode>, clusters: readonly ClusterReport[]): void {
    const { maxPlaces, maxPlacesPerProxy, idleMs, now, counted } = this.#options;
    const room = Math.min(maxPlaces - this.#places, maxPlacesPerProxy - placesIn(ofProxy));
    const { added, omitted, forgotten } = addReport(tree, clusters, { now: now(), idleMs, room });
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
