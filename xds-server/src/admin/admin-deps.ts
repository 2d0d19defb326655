import type { Logger } from "pino";
import type { Catalog } from "../filter-registry/catalog.ts";
import type { LoadReports } from "../load/load-reports.ts";
import type { MeshWriter } from "../mesh-writing/mesh-writer.ts";
import type { ProxyStatuses } from "../proxy-status/proxy-statuses.ts";
import type { Snapshot } from "../resources/snapshot.ts";
import type { Store } from "../store/store.ts";
import type { Metrics } from "../telemetry/metrics.ts";

/** What the admin API reads and writes; all of it owned elsewhere. */
export interface AdminDeps {
  /** Port 0 takes a free one. An address other than loopback needs a token. */
  readonly listen: { readonly host: string; readonly port: number };
  /** The bearer token that every request must carry; absent: none is asked for, on loopback only. */
  readonly token?: string;
  readonly store: Store;
  readonly writer: MeshWriter;
  readonly catalog: Catalog;
  readonly proxies: ProxyStatuses;
  readonly loads: LoadReports;
  /** What each node group's proxies should hold, as last published to the streams. */
  readonly snapshots: () => ReadonlyMap<string, Snapshot>;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** The largest request body taken, in bytes. */
  readonly maxBodyBytes: number;
  /** True once discovery streams are served, with something that was published. */
  readonly ready: () => boolean;
}
