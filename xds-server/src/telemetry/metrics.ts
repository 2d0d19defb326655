import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { CountedLoad } from "../cache/load-reports.ts";
import { type ProxyState, proxyState, proxyStates } from "../cache/proxy-state.ts";
import type { ProxyStatus } from "../cache/proxy-status.ts";

/** What Chancery counts about itself. Each part calls the method of what it did; `/metrics` shows the rest of the story. */
export interface Metrics {
  /** A proxy reported requests to a cluster, answered since its last report. */
  load(load: CountedLoad): void;
  /** One discovery response was sent. */
  pushed(shortName: string): void;
  /** One discovery response was refused by the proxy. */
  refused(shortName: string): void;
  /** The mesh was compiled, in so many seconds. */
  compiled(seconds: number): void;
  /** A discovery stream opened (1) or closed (-1). */
  streams(variant: "sotw" | "delta", change: 1 | -1): void;
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

interface MetricSources {
  readonly revision: () => number;
  readonly proxies: () => Iterable<ProxyStatus>;
}

export interface MetricOptions {
  /** Clusters whose load has series of its own; the others are counted as one, named "". */
  readonly maxLoadClusters: number;
}

export function createMetrics({ maxLoadClusters }: MetricOptions): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
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
  const refusals = new Counter({
    name: "chancery_refusals_total",
    help: "Discovery responses that a proxy refused.",
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
    pushed: (type) => void pushed.set(type, (pushed.get(type) ?? 0) + 1),
    refused: (type) => refusals.inc({ type }),
    compiled: (seconds) => compileSeconds.observe(seconds),
    streams: (variant, change) => streams.inc({ variant }, change),
    adminAnswered: ({ method, route, status, seconds }) => adminSeconds.observe({ method, route, status }, seconds),
    read({ revision, proxies }) {
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
        collect() {
          const counts = new Map<string, Record<ProxyState, number>>();
          for (const proxy of proxies()) {
            // Every state of a group has a series, so that an alert on "refused" sees 0 before it sees 1.
            const group = counts.get(proxy.nodeGroup) ?? { synced: 0, pending: 0, refused: 0, disconnected: 0 };
            group[proxyState(proxy)] += 1;
            counts.set(proxy.nodeGroup, group);
          }
          this.reset();
          for (const [group, states] of counts) {
            for (const state of proxyStates) this.set({ group, state }, states[state]);
          }
        },
      });
    },
    exposition: async () => ({ text: await registry.metrics(), contentType: registry.contentType }),
  };
}
