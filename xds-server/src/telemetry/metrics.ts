import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { CountedLoad } from "../load/load-reports.ts";
import { type ProxyState, proxyStates } from "../proxy-status/proxy-state.ts";
import type { ProxyOverview } from "../proxy-status/proxy-statuses.ts";

/** The metrics of this server. Each part calls the method for its event, and `/metrics` shows the values. */
export interface Metrics {
  /** A proxy reported the requests to a cluster since its last report. */
  load(load: CountedLoad): void;
  /** Discovery responses were sent. `count` is 1 when absent. */
  pushed(shortName: string, count?: number): void;
  /** Proxies NACKed discovery responses. `count` is 1 when absent. */
  nacked(shortName: string, count?: number): void;
  /** The mesh was compiled. The argument is the time that it took, in seconds. */
  compiled(seconds: number): void;
  /** The number of open discovery streams changed. A negative change means closed streams. */
  streams(variant: "sotw" | "delta", change: number): void;
  /** The admin API answered a request. `route` is the pattern, not the path, so that the number of series is bounded. */
  adminAnswered(answer: AdminAnswer): void;
  /** Sets the sources of the values that are read at each scrape. */
  read(sources: MetricSources): void;
  /** The text of `/metrics` and its content type. */
  exposition(): Promise<{ readonly text: string; readonly contentType: string }>;
}

interface AdminAnswer {
  readonly method: string;
  readonly route: string;
  readonly status: number;
  readonly seconds: number;
}

/** The resource use of a worker process. */
export interface Vitals {
  /** The number of the worker, from 1. */
  readonly worker: number;
  /** Processor time since it started. */
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  /** The 99th percentile of the event loop's delay since the last scrape. */
  readonly eventLoopLagSeconds: number;
}

interface MetricSources {
  readonly revision: () => number;
  readonly proxies: () => Promise<readonly ProxyOverview[]>;
  /** Absent without worker processes. */
  readonly workers?: () => Promise<readonly Vitals[]>;
}

export interface MetricOptions {
  /** The maximum number of clusters with load series of their own. All other clusters share the series of the cluster "". */
  readonly maxLoadClusters: number;
}

/**
 * Default metrics of prom-client that list all open handles at each scrape. With 10,000 connections that blocks the event
 * loop for 50 ms.
 */
const perConnection = [
  "process_open_fds",
  "nodejs_active_handles",
  "nodejs_active_handles_total",
  "nodejs_active_resources",
  "nodejs_active_resources_total",
];

export function createMetrics({ maxLoadClusters }: MetricOptions): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  for (const name of perConnection) registry.removeSingleMetric(name);
  // Added to the counter only at a scrape: each `inc` builds the name of the series, which is slow for a push to thousands.
  const pushed = new Map<string, number>();
  new Counter({
    name: "chancery_pushes_total",
    help: "Discovery responses sent to proxies, by resource type.",
    labelNames: ["type"] as const,
    registers,
    collect() {
      for (const [type, count] of pushed) this.inc({ type }, count);
      pushed.clear();
    },
  });
  const rejections = new Counter({
    name: "chancery_nacks_total",
    help: "Discovery responses that proxies NACKed, by resource type.",
    labelNames: ["type"] as const,
    registers,
  });
  const compileSeconds = new Histogram({
    name: "chancery_compile_seconds",
    help: "Time to compile the mesh into snapshots.",
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    registers,
  });
  const streams = new Gauge({
    name: "chancery_streams",
    help: "Open discovery streams, by protocol variant.",
    labelNames: ["variant"] as const,
    registers,
  });
  const adminSeconds = new Histogram({
    name: "chancery_admin_request_seconds",
    help: "Time to answer requests to the admin API.",
    labelNames: ["method", "route", "status"] as const,
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    registers,
  });
  const upstreamRequests = new Counter({
    name: "chancery_upstream_requests_total",
    help: "Requests to clusters as reported by proxies, by result.",
    labelNames: ["cluster", "result"] as const,
    registers,
  });
  const loadClusters = new Set<string>();
  const seriesOf = (cluster: string): string => {
    if (loadClusters.size < maxLoadClusters) loadClusters.add(cluster);
    return loadClusters.has(cluster) ? cluster : "";
  };

  return {
    load({ cluster: name, ...results }) {
      const cluster = seriesOf(name);
      for (const [result, count] of Object.entries(results)) upstreamRequests.inc({ cluster, result }, count);
    },
    pushed: (type, count = 1) => void pushed.set(type, (pushed.get(type) ?? 0) + count),
    nacked: (type, count) => rejections.inc({ type }, count),
    compiled: (seconds) => compileSeconds.observe(seconds),
    streams: (variant, change) => streams.inc({ variant }, change),
    adminAnswered: ({ method, route, status, seconds }) => adminSeconds.observe({ method, route, status }, seconds),
    read({ revision, proxies, workers }) {
      new Gauge({
        name: "chancery_revision",
        help: "The newest revision of the mesh.",
        registers,
        collect() {
          this.set(revision());
        },
      });
      new Gauge({
        name: "chancery_proxies",
        help: "Proxies that are or were recently connected, by node group and state.",
        labelNames: ["group", "state"] as const,
        registers,
        async collect() {
          const counts = new Map<string, Record<ProxyState, number>>();
          for (const { nodeGroup, state } of await proxies()) {
            // Every state of a group has a series, so that an alert on "rejected" sees the change from 0 to 1.
            const group = counts.get(nodeGroup) ?? { synced: 0, pending: 0, rejected: 0, disconnected: 0 };
            group[state] += 1;
            counts.set(nodeGroup, group);
          }
          this.reset();
          for (const [group, states] of counts) {
            for (const state of proxyStates) this.set({ group, state }, states[state]);
          }
        },
      });
      if (workers !== undefined) readWorkers(workers, registers);
    },
    exposition: async () => ({ text: await registry.metrics(), contentType: registry.contentType }),
  };
}

/** Adds the gauges of the worker processes. A worker that has ended has no series. */
function readWorkers(workers: () => Promise<readonly Vitals[]>, registers: Registry[]): void {
  let reading: ReturnType<typeof workers> | undefined;
  /** Shares one reading between all gauges of a scrape. */
  const read = (): ReturnType<typeof workers> => {
    reading ??= workers().finally(() => {
      reading = undefined;
    });
    return reading;
  };
  const gauge = (name: string, help: string, of: (vitals: Vitals) => number): unknown =>
    new Gauge({
      name: `chancery_worker_${name}`,
      help,
      labelNames: ["worker"] as const,
      registers,
      async collect() {
        const vitals = await read();
        this.reset();
        for (const each of vitals) this.set({ worker: each.worker }, of(each));
      },
    });
  gauge("cpu_seconds", "Processor time of a worker process since it started.", ({ cpuSeconds }) => cpuSeconds);
  gauge("resident_memory_bytes", "Resident memory of a worker process.", ({ residentBytes }) => residentBytes);
  gauge(
    "eventloop_lag_p99_seconds",
    "The 99th percentile of the delay of a worker's event loop since the last scrape.",
    ({ eventLoopLagSeconds }) => eventLoopLagSeconds,
  );
}
