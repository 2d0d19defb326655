import { defaultTransportLimits, type TransportLimits } from "../grpc/limits.ts";

/** The bounds of the discovery services. */
export interface Limits extends TransportLimits {
  /** The maximum number of discovery streams of one node. An Envoy without ADS opens one for each name that it subscribes to. */
  readonly maxStreamsPerNode: number;
  /** The maximum number of names that one stream subscribes to, over all types. One request may carry all of them, and is handled in one go. */
  readonly maxSubscriptions: number;
  /** The longest resource name, node id or node cluster, in UTF-16 code units. */
  readonly maxNameLength: number;
  /** The maximum length of a proxy's node message as JSON, in UTF-16 code units. */
  readonly maxNodeLength: number;
  /** The maximum number of rejected versions of one type that a stream remembers, so that they are not sent again. */
  readonly maxRejections: number;
  /** How much of the reason of a NACK is kept, in UTF-16 code units. */
  readonly maxReasonLength: number;
  /** How long a change waits at most for a proxy's answer to a change that it depends on, in milliseconds. */
  readonly holdLimitMs: number;
  /**
   * The same while the changes that it depends on cannot be sent yet, because the proxy still owes an answer. Longer than
   * Envoy's own wait for a cluster's endpoints, which is 15 seconds by default.
   */
  readonly unsentHoldLimitMs: number;
  /** The interval at which proxies report the load on their upstreams, in milliseconds. */
  readonly loadReportIntervalMs: number;
  /** The maximum number of proxies in one answer of client status discovery. */
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
