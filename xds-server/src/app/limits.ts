import { defaultModuleLimits } from "../filter-registry/module-check.ts";
import { type Limits as DiscoveryLimits, defaultLimits as discoveryLimits } from "../services/limits.ts";
import { defaultKeepRevisions } from "../store/sqlite-store.ts";

/** Every limit of a server that `--limit NAME=VALUE` can set. */
export interface Limits extends DiscoveryLimits {
  /** The largest request body that the admin API accepts, in bytes. */
  readonly maxAdminBodyBytes: number;
  /** The largest Wasm module, in bytes. */
  readonly maxModuleBytes: number;
  /** The maximum memory that a Wasm module may declare for each worker thread of a proxy, in pages of 64 KiB. */
  readonly maxModuleMemoryPages: number;
  /** The number of filter versions kept. Beyond it, the oldest version that no kept revision needs is deleted. */
  readonly maxModules: number;
  /** The total size of all Wasm modules kept, in bytes. */
  readonly maxModulesBytes: number;
  /** The time that a Wasm module has to start and to accept its configuration in a trial, in milliseconds. */
  readonly moduleTrialMs: number;
  /** The number of revisions kept. Older ones are deleted. */
  readonly keepRevisions: number;
  /** The number of disconnected proxies whose status is kept. */
  readonly maxGoneProxies: number;
  /** The number of clusters, localities and endpoints whose reported load is kept, for all proxies together. */
  readonly maxLoadPlaces: number;
  /** The same number for one proxy. */
  readonly maxLoadPlacesPerProxy: number;
  /** How long the load of a cluster, a locality or an endpoint is kept after its last report, in milliseconds. */
  readonly loadIdleMs: number;
  /** The number of clusters whose load has its own metrics. The other clusters are counted together. */
  readonly maxLoadMetricClusters: number;
  /** The time that a worker process has for an answer, in milliseconds. A worker that is too late twice in a row is replaced. */
  readonly workerAnswerMs: number;
  /** The minimum time between two publications, in milliseconds. It turns a burst of writes into few pushes. */
  readonly holdOffMs: number;
}

export const defaultLimits: Limits = {
  ...discoveryLimits,
  maxAdminBodyBytes: 32 * 1024 * 1024,
  maxModuleBytes: defaultModuleLimits.maxModuleBytes,
  maxModuleMemoryPages: defaultModuleLimits.maxMemoryPages,
  maxModules: 1_000,
  maxModulesBytes: 512 * 1024 * 1024,
  moduleTrialMs: 5_000,
  keepRevisions: defaultKeepRevisions,
  maxGoneProxies: 1_000,
  maxLoadPlaces: 500_000,
  maxLoadPlacesPerProxy: 50_000,
  loadIdleMs: 600_000,
  maxLoadMetricClusters: 1_000,
  workerAnswerMs: 15_000,
  holdOffMs: 10,
};

/** Parses "maxStreams=5000". A returned string is the error. */
export function parseLimit(text: string): Partial<Limits> | string {
  const [name = "", value = "", ...rest] = text.split("=");
  if (!Object.hasOwn(defaultLimits, name)) return `Known limits are ${Object.keys(defaultLimits).join(", ")}.`;
  const number = /^\d{1,12}$/.test(value) && rest.length === 0 ? Number(value) : 0;
  return number > 0 ? { [name]: number } : `Write ${name}=NUMBER, a whole number from 1.`;
}
