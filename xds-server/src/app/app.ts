import { startAdmin } from "../admin/server.ts";
import type { Compile } from "../compile/compile.ts";
import { memoCompile } from "../compile/memo.ts";
import { LoadReports } from "../load/load-reports.ts";
import { watchConfigFiles } from "../mesh-writing/config-files/config-files.ts";
import { type MeshWriter, meshWriter } from "../mesh-writing/mesh-writer.ts";
import { ProblemsError } from "../model/problems-error.ts";
import { Turns } from "../process/turns.ts";
import { startReconciler } from "../publishing/reconciler.ts";
import { SnapshotCache } from "../publishing/snapshot-cache.ts";
import type { HostPort } from "../services/xds-server.ts";
import { createLog } from "../telemetry/log.ts";
import { createMetrics } from "../telemetry/metrics.ts";
import type { AppConfig } from "./config.ts";
import type { AppContext } from "./context.ts";
import { type Discovery, serveDiscovery } from "./discovery.ts";
import { type Inputs, openInputs } from "./inputs.ts";
import { defaultLimits } from "./limits.ts";

export interface RunningApp {
  /** Where discovery is served. */
  readonly xds: HostPort;
  /** Where the admin API is served. */
  readonly admin: HostPort;
  /** Ends streams and requests, and then closes the store, except one that was passed in the configuration. */
  close(): Promise<void>;
}

/**
 * Starts the whole server. When a part fails, the parts that were opened before it are closed. Rejects with a ProblemsError
 * when the store or the configuration files cannot be used.
 */
export async function startApp(config: AppConfig): Promise<RunningApp> {
  const opened: (() => unknown)[] = [];
  const close = async (): Promise<void> => {
    for (const each of opened.splice(0).reverse()) await each();
  };
  try {
    const { xds, admin } = await start(contextOf(config, (each) => opened.push(each)));
    return { xds, admin, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The steps, in the order in which data flows: inputs, writer, snapshots, discovery, and the admin API over all of them. */
async function start(context: AppContext): Promise<Omit<RunningApp, "close">> {
  const inputs = await openInputs(context);
  const compile = timed(memoCompile(), (seconds) => context.metrics.compiled(seconds));
  const writer = await openWriter(context, inputs, compile);
  const cache = publish(context, inputs, writer, compile);
  const loads = openLoads(context);
  const discovery = await serveDiscovery(context, { store: inputs.store, cache, loads });
  readMetrics(context, inputs, discovery);
  const { host, port } = await serveAdmin(context, { ...inputs, writer, cache, loads, discovery });
  return { xds: discovery.address, admin: { host, port } };
}

function contextOf(config: AppConfig, onClose: AppContext["onClose"]): AppContext {
  const limits = { ...defaultLimits, ...config.limits };
  const log = createLog({ level: config.logLevel });
  const metrics = createMetrics({ maxLoadClusters: limits.maxLoadMetricClusters });
  return { config, limits, log, metrics, now: Date.now, onClose };
}

/** The writer, with the configuration files applied and watched. */
async function openWriter({ config, log, onClose }: AppContext, inputs: Inputs, compile: Compile): Promise<MeshWriter> {
  const { store, catalog } = inputs;
  const writer = meshWriter({ store, catalog, compile, turns: new Turns() });
  onClose(() => writer.close());
  const files = await watchConfigFiles({ paths: config.config, writer, store, log });
  if (!files.ok) throw new ProblemsError(files.problems, "Cannot start with the configuration files");
  onClose(() => files.close());
  return writer;
}

function publish({ limits, log, onClose }: AppContext, inputs: Inputs, writer: MeshWriter, compile: Compile) {
  const cache = new SnapshotCache();
  const { holdOffMs } = limits;
  const reconciler = startReconciler({ meshes: writer, artifacts: inputs.catalog, compile, cache, holdOffMs, log });
  onClose(() => reconciler.close());
  return cache;
}

function openLoads({ limits, metrics, now }: AppContext): LoadReports {
  return new LoadReports({
    maxPlaces: limits.maxLoadPlaces,
    maxPlacesPerProxy: limits.maxLoadPlacesPerProxy,
    idleMs: limits.loadIdleMs,
    now,
    counted: (load) => metrics.load(load),
  });
}

/** Lets the metrics read some values at the time of a scrape. */
function readMetrics({ metrics }: AppContext, { store }: Inputs, { proxies, workers }: Discovery): void {
  metrics.read({
    revision: () => store.get().revision,
    proxies: () => proxies.overviews(),
    ...(workers === undefined ? {} : { workers }),
  });
}

interface AdminParts extends Inputs {
  readonly writer: MeshWriter;
  readonly cache: SnapshotCache;
  readonly loads: LoadReports;
  readonly discovery: Discovery;
}

async function serveAdmin(context: AppContext, { cache, discovery, ...parts }: AdminParts): Promise<HostPort> {
  const { config, limits, log, metrics, onClose } = context;
  const admin = await startAdmin({
    ...parts,
    listen: config.adminListen,
    proxies: discovery.proxies,
    snapshots: () => cache.get()?.snapshots ?? new Map(),
    metrics,
    log,
    maxBodyBytes: limits.maxAdminBodyBytes,
    notReady: () => {
      if (cache.get() === undefined) return "no snapshot is published yet";
      return discovery.isServing() ? undefined : "no worker serves discovery";
    },
    ...(config.adminToken === undefined ? {} : { token: config.adminToken }),
  });
  onClose(() => admin.close());
  return admin;
}

/** A compiler that reports how long each run takes, in seconds. The compiler itself is pure and has no clock. */
function timed(compile: Compile, took: (seconds: number) => void): Compile {
  return (inputs) => {
    const started = performance.now();
    const compiled = compile(inputs);
    took((performance.now() - started) / 1000);
    return compiled;
  };
}
