import { hostname } from "node:os";
import { isLoopback } from "../admin/guard.ts";
import type { LoadReports } from "../load/load-reports.ts";
import { localStatuses, NodeStatus } from "../proxy-status/node-status.ts";
import type { ProxyStatuses } from "../proxy-status/proxy-statuses.ts";
import { PublicationTimes } from "../publishing/publication-times.ts";
import type { SnapshotCache } from "../publishing/snapshot-cache.ts";
import type { AnswerClientStatus } from "../services/client-status/client-status.ts";
import { clientStatusAnswers } from "../services/client-status/client-status-answers.ts";
import { type HostPort, readerOptions, startXdsServer } from "../services/xds-server.ts";
import type { Store } from "../store/store.ts";
import type { Vitals } from "../telemetry/metrics.ts";
import { WorkerPool } from "../workers/pool.ts";
import { formatHostPort } from "./config.ts";
import type { AppContext } from "./context.ts";

/** The discovery service, in this process or in workers. */
export interface Discovery {
  readonly address: HostPort;
  readonly proxies: ProxyStatuses;
  readonly isServing: () => boolean;
  /** The vitals of the workers. Absent when this process serves discovery itself. */
  readonly workers?: () => Promise<readonly Vitals[]>;
}

/** What discovery reads and writes. */
export interface DiscoveryParts {
  readonly store: Store;
  readonly cache: SnapshotCache;
  readonly loads: LoadReports;
}

/** Serves discovery on the configured port. Rejects when the port cannot be bound. */
export async function serveDiscovery(context: AppContext, parts: DiscoveryParts): Promise<Discovery> {
  const { config, log } = context;
  const { workers = 0 } = config;
  const discovery = await (workers === 0 ? serveHere(context, parts) : serveByWorkers(context, parts, workers));
  const { address } = discovery;
  if (config.xdsTls === undefined && !isLoopback(address.host)) {
    log.warn(
      { address: formatHostPort(address) },
      "discovery is served in plaintext to other machines; see --xds-tls-cert",
    );
  }
  return discovery;
}

async function serveHere(context: AppContext, parts: DiscoveryParts): Promise<Discovery> {
  const { limits, now, onClose } = context;
  const statuses = new NodeStatus({ maxGone: limits.maxGoneProxies, now });
  const proxies = localStatuses(statuses);
  const answerClientStatus = clientStatusFor(context, parts)(proxies);
  const server = await startXdsServer({
    ...sharedOptions(context, parts),
    statuses,
    answerClientStatus,
    firstStream: 1,
    now,
  });
  onClose(() => server.close());
  return { address: server.address, proxies, isServing: () => true };
}

async function serveByWorkers(context: AppContext, parts: DiscoveryParts, count: number): Promise<Discovery> {
  const { config, limits, onClose } = context;
  const pool = new WorkerPool({
    ...sharedOptions(context, parts),
    count,
    nodeGroups: () => parts.store.get().mesh.all("NodeGroup"),
    maxGone: limits.maxGoneProxies,
    answerClientStatus: clientStatusFor(context, parts),
    logLevel: config.logLevel,
    answerTimeoutMs: limits.workerAnswerMs,
  });
  onClose(() => pool.close());
  const address = await pool.start();
  return { address, proxies: pool.proxies, isServing: () => pool.running > 0, workers: () => pool.vitals() };
}

function sharedOptions({ config, limits, log, metrics }: AppContext, { cache, loads }: DiscoveryParts) {
  return {
    listen: config.xdsListen,
    cache,
    loads,
    limits,
    identifier: `chancery/${hostname()}`,
    metrics,
    log,
    ...(config.xdsTls === undefined ? {} : { tls: config.xdsTls }),
  };
}

/** Answers client status discovery from the status of these proxies. */
function clientStatusFor({ config, limits, now }: AppContext, { cache }: DiscoveryParts) {
  const publicationTimes = new PublicationTimes(cache, now);
  return (proxies: ProxyStatuses): AnswerClientStatus =>
    clientStatusAnswers({ proxies, cache, publicationTimes, limits, readers: readerOptions(config.xdsTls) });
}
