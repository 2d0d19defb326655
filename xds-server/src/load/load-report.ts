/** What one proxy says of one cluster in one interval (`envoy.config.endpoint.v3.ClusterStats`). */
export interface ClusterReport {
  readonly cluster: string;
  /** How long the interval was, in milliseconds; 0 when the proxy did not say. */
  readonly intervalMs: number;
  /** Requests dropped on purpose: by a drop policy, or over a circuit breaker's limit. */
  readonly dropped: number;
  readonly localities: readonly LocalityReport[];
}

export interface LocalityReport extends Locality {
  readonly counts: LoadCounts;
  readonly metrics: readonly LoadMetric[];
  readonly endpoints: readonly EndpointReport[];
}

export interface Locality {
  /** Empty where endpoints have none. */
  readonly region: string;
  readonly zone: string;
  readonly subZone: string;
  /** 0 is used first. */
  readonly priority: number;
}

export interface EndpointReport {
  /** "10.0.0.7:8080", or the path of a pipe. */
  readonly address: string;
  readonly counts: LoadCounts;
  readonly metrics: readonly LoadMetric[];
}

/** Requests of one interval. */
export interface LoadCounts {
  /** Sent to endpoints. */
  readonly issued: number;
  /** Answered without a fault of the endpoint: no 5xx, no gRPC status that speaks of one. */
  readonly succeeded: number;
  readonly failed: number;
  /** Not answered yet at the end of the interval. */
  readonly inProgress: number;
}

/** What endpoints said of themselves in their answers (ORCA). */
export interface LoadMetric {
  readonly name: string;
  /** How many answers bore it. */
  readonly count: number;
  /** The sum of what they said. */
  readonly total: number;
}
