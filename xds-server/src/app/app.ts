import { hostname } from "node:os";
import path from "node:path";
import { isLoopback } from "../admin/guard.ts";
import { startAdmin } from "../admin/server.ts";
import type { Compile } from "../compile/compile.ts";
import { memoCompile } from "../compile/memo.ts";
import { openCatalog } from "../filter-registry/artifacts.ts";
import { LoadReports } from "../load/load-reports.ts";
import { watchConfigFiles } from "../mesh-writing/config-files/config-files.ts";
import { modulesInUse } from "../mesh-writing/filter-check.ts";
import { meshWriter } from "../mesh-writing/mesh-writer.ts";
import { ProblemsError } from "../model/problems-error.ts";
import { Turns } from "../process/turns.ts";
import { localStatuses, NodeStatus } from "../proxy-status/node-status.ts";
import type { ProxyStatuses } from "../proxy-status/proxy-statuses.ts";
import { PublicationTimes } from "../publishing/publication-times.ts";
import { startReconciler } from "../publishing/reconciler.ts";
import { SnapshotCache } from "../publishing/snapshot-cache.ts";
import type { AnswerClientStatus } from "../services/client-status/client-status.ts";
import { clientStatusAnswers } from "../services/client-status/client-status-answers.ts";
import { type HostPort, readerOptions, startXdsServer } from "../services/xds-server.ts";
import { openSqliteStore } from "../store/sqlite-store.ts";
import type { Store } from "../store/store.ts";
import { createLog } from "../telemetry/log.ts";
import { createMetrics, type Vitals } from "../telemetry/metrics.ts";
import { WorkerPool } from "../workers/pool.ts";
import { type AppConfig, formatHostPort } from "./config.ts";
import { defaultLimits } from "./limits.ts";

export interface RunningApp {
  /** Where discovery is served. */
  readonly xds: HostPort;
  /** Where the admin API is served. */
  readonly admin: HostPort;
  /** Ends streams and requests, then closes the store. */
  close(): Promise<void>;
}

/** Discovery as it is served, by this process or by workers. */
interface Discovery {
  readonly address: HostPort;
  readonly proxies: ProxyStatuses;
  readonly isServing: () => boolean;
  readonly workers?: () => Promise<readonly Vitals[]>;
}

/**
 * Starts the whole server: store, files, reconciler, discovery, admin API. What it opened is closed when a part fails. Rejects with
 * a ProblemsError when the store or the configuration files cannot be used.
 */
export async function startApp(config: AppConfig): Promise<RunningApp> {
  const opened: (() => unknown)[] = [];
  const closeAll = async (): Promise<void> => {
    for (const close of opened.splice(0).reverse()) await close();
  };
  try {
    return await start(config, (close) => opened.push(close), closeAll);
  } catch (error) {
    await closeAll();
    throw error;
  }
}

async function start(
  config: AppConfig,
  onClose: (close: () => unknown) => void,
  close: () => Promise<void>,
): Promise<RunningApp> {
  const log = createLog({ level: config.logLevel });
  const now = Date.now;
  const limits = { ...defaultLimits, ...config.limits };
  const metrics = createMetrics({ maxLoadClusters: limits.maxLoadMetricClusters });

  const openStore = (): Store => {
    const opened = openSqliteStore({
      directory: config.dataDir,
      now,
      keepRevisions: limits.keepRevisions,
      watcherFailed: (error) => log.error({ err: error }, "a revision is kept, but not everybody could be told of it"),
    });
    onClose(() => opened.close());
    return opened;
  };
  const store = config.store ?? openStore();
  const catalog = await openCatalog({
    directory: path.join(config.dataDir, "filters"),
    maxModuleBytes: limits.maxModuleBytes,
    maxMemoryPages: limits.maxModuleMemoryPages,
    maxVersions: limits.maxModules,
    maxTotalBytes: limits.maxModulesBytes,
    trialTimeLimitMs: limits.moduleTrialMs,
    needed: () => modulesInUse(store),
  });
  for (const fault of catalog.faults) log.error({ fault }, "a filter module is left out");
  const compile = timed(memoCompile(), (seconds) => metrics.compiled(seconds));
  const writer = meshWriter({ store, catalog, compile, turns: new Turns() });
  onClose(() => writer.close());
  const files = await watchConfigFiles({ paths: config.config, writer, store, log });
  if (!files.ok) throw new ProblemsError(files.problems, "Cannot start with the configuration files");
  onClose(() => files.close());

  const cache = new SnapshotCache();
  const loads = new LoadReports({
    maxPlaces: limits.maxLoadPlaces,
    maxPlacesPerProxy: limits.maxLoadPlacesPerProxy,
    idleMs: limits.loadIdleMs,
    now,
    counted: (load) => metrics.load(load),
  });
  const reconciler = startReconciler({
    meshes: writer,
    artifacts: catalog,
    compile,
    cache,
    holdOffMs: limits.holdOffMs,
    log,
  });
  onClose(() => reconciler.close());
  const publicationTimes = new PublicationTimes(cache, now);
  const answerClientStatus = (proxies: ProxyStatuses): AnswerClientStatus =>
    clientStatusAnswers({ proxies, cache, publicationTimes, limits, readers: readerOptions(config.xdsTls) });
  const serving = {
    listen: config.xdsListen,
    cache,
    loads,
    limits,
    identifier: `chancery/${hostname()}`,
    metrics,
    log,
    ...(config.xdsTls === undefined ? {} : { tls: config.xdsTls }),
  };
  const serveHere = async (): Promise<Discovery> => {
    const statuses = new NodeStatus({ maxGone: limits.maxGoneProxies, now });
    const proxies = localStatuses(statuses);
    const answer = answerClientStatus(proxies);
    const xds = await startXdsServer({ ...serving, statuses, answerClientStatus: answer, firstStream: 1, now });
    onClose(() => xds.close());
    return { address: xds.address, proxies, isServing: () => true };
  };
  const serveByWorkers = async (count: number): Promise<Discovery> => {
    const pool = new WorkerPool({
      ...serving,
      count,
      nodeGroups: () => store.get().mesh.all("NodeGroup"),
      maxGone: limits.maxGoneProxies,
      answerClientStatus,
      logLevel: config.logLevel,
      answerTimeoutMs: limits.workerAnswerMs,
    });
    onClose(() => pool.close());
    const address = await pool.start();
    return { address, proxies: pool.proxies, isServing: () => pool.running > 0, workers: () => pool.vitals() };
  };
  const { workers: count = 0 } = config;
  const { address, proxies, isServing, workers } = await (count === 0 ? serveHere() : serveByWorkers(count));
  metrics.read({
    revision: () => store.get().revision,
    proxies: () => proxies.overviews(),
    ...(workers === undefined ? {} : { workers }),
  });
  if (config.xdsTls === undefined && !isLoopback(address.host)) {
    log.warn(
      { address: formatHostPort(address) },
      "discovery is served in plaintext to other machines; see --xds-tls-cert",
    );
  }
  const admin = await startAdmin({
    listen: config.adminListen,
    store,
    writer,
    catalog,
    proxies,
    loads,
    snapshots: () => cache.get()?.snapshots ?? new Map(),
    metrics,
    log,
    maxBodyBytes: limits.maxAdminBodyBytes,
    ready: () => isServing() && cache.get() !== undefined,
    ...(config.adminToken === undefined ? {} : { token: config.adminToken }),
  });
  onClose(() => admin.close());
  return { xds: address, admin: { host: admin.host, port: admin.port }, close };
}

/** The compiler, which has no clock, with the time that each run takes told. */
function timed(compile: Compile, took: (seconds: number) => void): Compile {
  return (inputs) => {
    const started = performance.now();
    const compiled = compile(inputs);
    took((performance.now() - started) / 1000);
    return compiled;
  };
}
