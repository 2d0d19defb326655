import type { ClusterReport, LoadCounts, LoadMetric, PrioritizedLocality } from "./load-report.ts";

type Counts = { -readonly [Count in keyof LoadCounts]: LoadCounts[Count] };

/** One place with the places inside it. A place is a cluster, a locality or an endpoint; the root holds all clusters. */
export interface LoadNode {
  /** Sums since the first report of the place. Only `inProgress` is the count at the end of the last interval. */
  readonly counts: Counts;
  /** Requests sent per second in the last interval. */
  perSecond: number;
  dropped: number;
  metrics: ReadonlyMap<string, LoadMetric>;
  readonly inner: Map<string, LoadNode>;
  /** Only present for a locality. */
  readonly locality?: PrioritizedLocality;
  /** The number of the last report with this place. */
  report: number;
  /** The time of that report, in milliseconds since the epoch. 0 before the first. */
  reportedAt: number;
  /** The number of trees that were added to this place. */
  sources: number;
}

const noMetrics: ReadonlyMap<string, LoadMetric> = new Map();

export function newLoadNode(locality?: PrioritizedLocality): LoadNode {
  return {
    counts: { issued: 0, succeeded: 0, failed: 0, inProgress: 0 },
    perSecond: 0,
    dropped: 0,
    metrics: noMetrics,
    inner: new Map(),
    report: 0,
    reportedAt: 0,
    sources: 0,
    ...(locality === undefined ? {} : { locality }),
  };
}

export interface AddReportOptions {
  readonly now: number;
  /** A place that was not reported for this time is forgotten, in milliseconds. */
  readonly idleMs: number;
  /** The maximum number of places that may be added. */
  readonly room: number;
}

/** Adds a report to a proxy's earlier ones. A place for which there is no room is left out, with all places inside it. */
export function addReport(root: LoadNode, clusters: readonly ClusterReport[], { now, idleMs, room }: AddReportOptions) {
  let added = 0;
  let omitted = 0;
  const report = root.report + 1;
  const place = (within: LoadNode, key: string, locality?: PrioritizedLocality): LoadNode | undefined => {
    const known = within.inner.get(key);
    if (known === undefined && added >= room) {
      omitted += 1;
      return undefined;
    }
    const node = known ?? newLoadNode(locality);
    if (known === undefined) {
      within.inner.set(key, node);
      added += 1;
    }
    if (node.report !== report) resetInterval(node);
    node.report = report;
    node.reportedAt = now;
    return node;
  };
  const count = (node: LoadNode, counts: LoadCounts, seconds: number): void => {
    add(node.counts, counts);
    node.perSecond += seconds > 0 ? counts.issued / seconds : 0;
  };

  resetInterval(root);
  root.report = report;
  root.reportedAt = now;
  for (const { cluster, intervalMs, dropped, localities } of clusters) {
    const inCluster = place(root, cluster);
    if (inCluster === undefined) continue;
    const seconds = intervalMs / 1000;
    inCluster.dropped += dropped;
    root.dropped += dropped;
    for (const { counts, metrics, endpoints, ...locality } of localities) {
      count(root, counts, seconds);
      count(inCluster, counts, seconds);
      const inLocality = place(inCluster, localityKey(locality), locality);
      if (inLocality === undefined) continue;
      count(inLocality, counts, seconds);
      inLocality.metrics = metricSum(inLocality.metrics, metrics);
      for (const endpoint of endpoints) {
        const target = place(inLocality, endpoint.address);
        if (target === undefined) continue;
        count(target, endpoint.counts, seconds);
        target.metrics = metricSum(target.metrics, endpoint.metrics);
      }
    }
  }
  return { added, omitted, forgotten: forget(root, report, now - idleMs) };
}

function resetInterval(node: LoadNode): void {
  node.perSecond = 0;
  node.counts.inProgress = 0;
}

/** Resets places that the last report left out, and forgets idle ones. Returns the number of forgotten places. */
function forget(node: LoadNode, report: number, before: number): number {
  let forgotten = 0;
  for (const [key, inner] of node.inner) {
    if (inner.report !== report) resetInterval(inner);
    if (inner.reportedAt < before) {
      node.inner.delete(key);
      forgotten += size(inner);
    } else forgotten += forget(inner, report, before);
  }
  return forgotten;
}

/** The number of places in a tree, including its root. */
export function size(node: LoadNode): number {
  let places = 1;
  for (const inner of node.inner.values()) places += size(inner);
  return places;
}

/** Adds one tree to another, down to a depth. */
export function addTree(to: LoadNode, from: LoadNode, depth: number): void {
  add(to.counts, from.counts);
  to.perSecond += from.perSecond;
  to.dropped += from.dropped;
  to.metrics = metricSum(to.metrics, from.metrics.values());
  to.reportedAt = Math.max(to.reportedAt, from.reportedAt);
  to.sources += 1;
  if (depth === 0) return;
  for (const [key, inner] of from.inner) {
    const target = to.inner.get(key) ?? newLoadNode(inner.locality);
    to.inner.set(key, target);
    addTree(target, inner, depth - 1);
  }
}

function localityKey({ region, zone, subZone, priority }: PrioritizedLocality): string {
  return JSON.stringify([region, zone, subZone, priority]);
}

function add(to: Counts, { issued, succeeded, failed, inProgress }: LoadCounts): void {
  to.issued += issued;
  to.succeeded += succeeded;
  to.failed += failed;
  to.inProgress += inProgress;
}

/** The maximum number of metrics kept for one place. Endpoints choose the names, so there could be any number. */
const maxMetricNames = 32;

function metricSum(
  known: ReadonlyMap<string, LoadMetric>,
  more: Iterable<LoadMetric>,
): ReadonlyMap<string, LoadMetric> {
  let sums: Map<string, LoadMetric> | undefined;
  for (const { name, count, total } of more) {
    sums ??= new Map(known);
    const before = sums.get(name);
    if (before === undefined && sums.size >= maxMetricNames) continue;
    sums.set(name, { name, count: count + (before?.count ?? 0), total: total + (before?.total ?? 0) });
  }
  return sums ?? known;
}
