import { defaultModuleLimits } from "../filter-registry/module-check.ts";
import { type Limits as DiscoveryLimits, defaultLimits as discoveryLimits } from "../services/limits.ts";
import { defaultKeepRevisions } from "../store/sqlite-store.ts";

/** Every bound of a server. Each can be set by `--limit NAME=VALUE`. */
export interface Limits extends DiscoveryLimits {
  /** The largest body that the admin API takes, in bytes. */
  readonly maxAdminBodyBytes: number;
  /** The largest Wasm module, in bytes. */
  readonly maxModuleBytes: number;
  /** The most memory that a Wasm module may ask for on each worker of each proxy, in pages of 64 KiB. */
  readonly maxModuleMemoryPages: number;
  /** Versions of Wasm filters kept. Beyond, the oldest go that no kept revision needs. */
  readonly maxModules: number;
  /** Bytes of all Wasm modules kept. */
  readonly maxModulesBytes: number;
  /** How long a Wasm module may take to start and to be configured when it is tried, in milliseconds. */
  readonly moduleTrialMs: number;
  /** Revisions kept; older ones are let go. */
  readonly keepRevisions: number;
  /** Proxies remembered after they have gone. */
  readonly maxGoneProxies: number;
  /** Clusters, localities and endpoints whose reported load is kept, over all proxies. */
  readonly maxLoadPlaces: number;
  /** The same of one proxy. */
  readonly maxLoadPlacesPerProxy: number;
  /** How long the load on what is not reported any more is kept, in milliseconds. */
  readonly loadIdleMs: number;
  /** Clusters whose load has metrics of its own; the others are counted together. */
  readonly maxLoadMetricClusters: number;
  /** How long a worker process may take to answer, in milliseconds. One that does not, twice in a row, is replaced. */
  readonly workerAnswerMs: number;
  /** The least time between two publications, in milliseconds: a burst of writes becomes few pushes. */
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

/** "maxStreams=5000", parsed. A text says what is wrong with it. */
export function parseLimit(text: string): Partial<Limits> | string {
  const [name = "", value = "", ...rest] = text.split("=");
  if (!Object.hasOwn(defaultLimits, name)) return `Known limits are ${Object.keys(defaultLimits).join(", ")}.`;
  const number = /^\d{1,12}$/.test(value) && rest.length === 0 ? Number(value) : 0;
  return number > 0 ? { [name]: number } : `Write ${name}=NUMBER, a whole number from 1.`;
}
