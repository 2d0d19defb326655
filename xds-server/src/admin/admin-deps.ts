import type { Logger } from "pino";
import type { Catalog } from "../filter-registry/catalog.ts";
import type { LoadReports } from "../load/load-reports.ts";
import type { MeshWriter } from "../mesh-writing/mesh-writer.ts";
import type { ProxyStatuses } from "../proxy-status/proxy-statuses.ts";
import type { Snapshot } from "../resources/snapshot.ts";
import type { Store } from "../store/store.ts";
import type { Metrics } from "../telemetry/metrics.ts";

/** The parts of the server that the admin API reads and writes. Other modules own them. */
export interface AdminDeps {
  /** Port 0 means any free port. An address other than loopback needs a token. */
  readonly listen: { readonly host: string; readonly port: number };
  /** The bearer token that every request must carry. When absent: requests need none, and the address must be loopback. */
  readonly token?: string;
  readonly store: Store;
  readonly writer: MeshWriter;
  readonly catalog: Catalog;
  readonly proxies: ProxyStatuses;
  readonly loads: LoadReports;
  /** By node group, the snapshot last published to the streams. */
  readonly snapshots: () => ReadonlyMap<string, Snapshot>;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** The maximum size of a request body, in bytes. */
  readonly maxBodyBytes: number;
  /** Why proxies are not served: "no snapshot is published yet". Undefined when they are served. */
  readonly notReady: () => string | undefined;
}
