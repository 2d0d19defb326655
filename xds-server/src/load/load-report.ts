import type { Locality } from "../model/node.ts";

/** One proxy's report on one cluster for one interval (`envoy.config.endpoint.v3.ClusterStats`). */
export interface ClusterReport {
  readonly cluster: string;
  /** The length of the interval, in milliseconds. 0 when the proxy did not send it. */
  readonly intervalMs: number;
  /** Requests that the proxy dropped by a drop policy, or over a circuit breaker's limit. */
  readonly dropped: number;
  readonly localities: readonly LocalityReport[];
}

export interface LocalityReport extends PrioritizedLocality {
  readonly counts: LoadCounts;
  readonly metrics: readonly LoadMetric[];
  readonly endpoints: readonly EndpointReport[];
}

/** The locality and the priority of endpoints. */
export interface PrioritizedLocality extends Locality {
  /** 0 is the highest priority. */
  readonly priority: number;
}

export interface EndpointReport {
  /** An address such as "10.0.0.7:8080", or the path of a pipe. */
  readonly address: string;
  readonly counts: LoadCounts;
  readonly metrics: readonly LoadMetric[];
}

/** The number of requests in one interval. */
export interface LoadCounts {
  /** Requests sent to endpoints. */
  readonly issued: number;
  /** Requests answered without a server error: no 5xx, and no gRPC status that means one. */
  readonly succeeded: number;
  readonly failed: number;
  /** Requests not answered at the end of the interval. */
  readonly inProgress: number;
}

/** A metric that endpoints report in their responses (ORCA). */
export interface LoadMetric {
  readonly name: string;
  /** The number of responses with this metric. */
  readonly count: number;
  /** The sum of the reported values. */
  readonly total: number;
}
