import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { CountedLoad } from "../load/load-reports.ts";
import { type ProxyState, proxyStates } from "../proxy-status/proxy-state.ts";
import type { ProxyOverview } from "../proxy-status/proxy-statuses.ts";

/** What Chancery counts about itself. Each part calls the method of what it did; `/metrics` shows the rest of the story. */
export interface Metrics {
  /** A proxy reported requests to a cluster, answered since its last report. */
  load(load: CountedLoad): void;
  /** Discovery responses were sent; one, unless said otherwise. */
  pushed(shortName: string, count?: number): void;
  /** Discovery responses were rejected by proxies; one, unless said otherwise. */
  nacked(shortName: string, count?: number): void;
  /** The mesh was compiled, in so many seconds. */
  compiled(seconds: number): void;
  /** Discovery streams opened, or closed where the change is negative. */
  streams(variant: "sotw" | "delta", change: number): void;
  /** The admin API answered. `route` is the pattern, never the path, so that the number of series is bounded. */
  adminAnswered(answer: AdminAnswer): void;
  /** Where the values come from that are read at each scrape. */
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

/** What a worker process takes of the machine. */
export interface Vitals {
  /** The number of the worker, from 1. */
  readonly worker: number;
  /** Processor time since it started. */
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  /** The 99th percentile of how late its event loop was since the last scrape. */
  readonly eventLoopLagSeconds: number;
}

interface MetricSources {
  readonly revision: () => number;
  readonly proxies: () => Promise<readonly ProxyOverview[]>;
  /** Absent where discovery is served by the server's own process. */
  readonly workers?: () => Promise<readonly Vitals[]>;
}

export interface MetricOptions {
  /** Clusters whose load has series of its own; the others are counted as one, named "". */
  readonly maxLoadClusters: number;
}

/** Defaults of prom-client that list all that is open at each scrape: with 10,000 connections they hold the event loop for 50 ms. */
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
  // Told to the counter when it is read: it works out the name of a series each time, which a push to thousands would feel.
  const pushed = new Map<string, number>();
  new Counter({
    name: "chancery_pushes_total",
    help: "Discovery responses sent to proxies.",
    labelNames: ["type"] as const,
    registers,
    collect() {
      for (const [type, count] of pushed) this.inc({ type }, count);
      pushed.clear();
    },
  });
  const rejections = new Counter({
    name: "chancery_nacks_total",
    help: "Discovery responses that a proxy rejected.",
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
    help: "Open discovery streams.",
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
    help: "Requests to clusters as proxies report them, by what became of them.",
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
        help: "Proxies that are connected or were lately, by node group and state.",
        labelNames: ["group", "state"] as const,
        registers,
        async collect() {
          const counts = new Map<string, Record<ProxyState, number>>();
          for (const { nodeGroup, state } of await proxies()) {
            // Every state of a group has a series, so that an alert on "rejected" sees 0 before it sees 1.
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

/** Gauges of the worker processes. A worker that is gone has no series. */
function readWorkers(workers: () => Promise<readonly Vitals[]>, registers: Registry[]): void {
  let reading: ReturnType<typeof workers> | undefined;
  /** One reading for all gauges of a scrape. */
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
    "The 99th percentile of how late a worker's event loop was since the last scrape.",
    ({ eventLoopLagSeconds }) => eventLoopLagSeconds,
  );
}
