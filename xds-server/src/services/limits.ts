import { defaultTransportLimits, type TransportLimits } from "../grpc/limits.ts";

/** The bounds of the discovery services. */
export interface Limits extends TransportLimits {
  /** Discovery streams open at once of one node. An Envoy without ADS opens one for each name that it asks for. */
  readonly maxStreamsPerNode: number;
  /** Names that one stream may be subscribed to, over all types. All may come in one request, which nothing else goes between. */
  readonly maxSubscriptions: number;
  /** The longest resource name, node id or node cluster, in UTF-16 code units. */
  readonly maxNameLength: number;
  /** The longest description that a proxy may give of itself, as JSON, in UTF-16 code units. */
  readonly maxNodeLength: number;
  /** How many rejected versions of one type are remembered of a stream, so that they are not sent again. */
  readonly maxRejections: number;
  /** How much of a proxy's reason for a rejection is kept, in UTF-16 code units. */
  readonly maxReasonLength: number;
  /** How long a change may wait for a proxy's answer to what it depends on, in milliseconds. */
  readonly holdLimitMs: number;
  /**
   * The same while changes that it depends on could not even be sent, because the proxy owes an answer. Longer than
   * Envoy's own wait for a cluster's endpoints, which is 15 seconds unless the cluster says otherwise.
   */
  readonly unsentHoldLimitMs: number;
  /** How often proxies report the load on what is behind them, in milliseconds. */
  readonly loadReportIntervalMs: number;
  /** Proxies in one answer of client status discovery. */
  readonly maxClientStatuses: number;
}

export const defaultLimits: Limits = {
  ...defaultTransportLimits,
  maxStreamsPerNode: 2_000,
  maxSubscriptions: 50_000,
  maxNameLength: 4096,
  maxNodeLength: 256 * 1024,
  maxRejections: 1_000,
  maxReasonLength: 16 * 1024,
  holdLimitMs: 5_000,
  unsentHoldLimitMs: 30_000,
  loadReportIntervalMs: 10_000,
  maxClientStatuses: 1_000,
};
