/** The bounds of the discovery services. */
export interface Limits {
  /** The largest request or response, in bytes. A reconnecting delta client lists every version that it holds. */
  readonly maxMessageBytes: number;
  /** Discovery streams open at once, over all clients. */
  readonly maxStreams: number;
  /** Names that one stream may be subscribed to, over all types. */
  readonly maxSubscriptions: number;
  /** The longest resource name, node id or node cluster, in UTF-16 code units. */
  readonly maxNameLength: number;
  /** The longest description that a proxy may give of itself, as JSON, in UTF-16 code units. */
  readonly maxNodeLength: number;
  /** How much of a proxy's reason for a refusal is kept, in UTF-16 code units. */
  readonly maxReasonLength: number;
  /** How long a change may wait for a proxy's answer to what it depends on, in milliseconds. */
  readonly holdLimitMs: number;
  /**
   * The same while changes that it depends on could not even be sent, because the proxy owes an answer. Longer than
   * Envoy's own wait for a cluster's endpoints, which is 15 seconds unless the cluster says otherwise.
   */
  readonly unsentHoldLimitMs: number;
  /** How often a silent connection is asked whether it is alive, in milliseconds. */
  readonly keepAliveMs: number;
  /** How long the answer to that may take, in milliseconds, before the connection is closed. */
  readonly keepAliveTimeoutMs: number;
}

export const defaultLimits: Limits = {
  maxMessageBytes: 32 * 1024 * 1024,
  maxStreams: 20_000,
  maxSubscriptions: 200_000,
  maxNameLength: 4096,
  maxNodeLength: 256 * 1024,
  maxReasonLength: 16 * 1024,
  holdLimitMs: 5_000,
  unsentHoldLimitMs: 30_000,
  keepAliveMs: 30_000,
  keepAliveTimeoutMs: 10_000,
};
