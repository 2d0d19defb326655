/** The bounds of whoever calls, whatever the call is about. */
export interface TransportLimits {
  /** The largest message, in bytes, both ways. A reconnecting delta client lists every version that it holds. */
  readonly maxMessageBytes: number;
  /** The memory for messages that have not wholly arrived, over all clients, in bytes. */
  readonly maxPartialBytes: number;
  /** The largest set of HTTP/2 headers, in bytes. */
  readonly maxHeaderBytes: number;
  /** Connections open at once. */
  readonly maxConnections: number;
  /** Calls open at once, over all clients. A discovery stream is one. */
  readonly maxStreams: number;
  /** Calls open at once on one connection. */
  readonly maxStreamsPerConnection: number;
  /** How long a client may leave what it is sent unread, in milliseconds, before its call is ended. */
  readonly unreadTimeoutMs: number;
  /** How long a TLS handshake may take, in milliseconds. */
  readonly handshakeTimeoutMs: number;
  /** How long a connection may be without a call, in milliseconds, before it is closed. */
  readonly idleConnectionMs: number;
  /** How often a silent connection is asked whether it is alive, in milliseconds. */
  readonly keepAliveMs: number;
  /** How long the answer to that may take, in milliseconds, before the connection is closed. */
  readonly keepAliveTimeoutMs: number;
  /** How often the files of the server's certificate are looked at for a new one, in milliseconds. */
  readonly tlsReloadMs: number;
}

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
  /** How many refused versions of one type are remembered of a stream, so that they are not sent again. */
  readonly maxRefusals: number;
  /** How much of a proxy's reason for a refusal is kept, in UTF-16 code units. */
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
  maxMessageBytes: 32 * 1024 * 1024,
  maxPartialBytes: 1024 * 1024 * 1024,
  maxHeaderBytes: 16 * 1024,
  maxConnections: 20_000,
  maxStreams: 20_000,
  maxStreamsPerConnection: 1_000,
  maxStreamsPerNode: 2_000,
  maxSubscriptions: 50_000,
  maxNameLength: 4096,
  maxNodeLength: 256 * 1024,
  maxRefusals: 1_000,
  maxReasonLength: 16 * 1024,
  holdLimitMs: 5_000,
  unsentHoldLimitMs: 30_000,
  loadReportIntervalMs: 10_000,
  maxClientStatuses: 1_000,
  tlsReloadMs: 10_000,
  unreadTimeoutMs: 120_000,
  handshakeTimeoutMs: 10_000,
  idleConnectionMs: 300_000,
  keepAliveMs: 30_000,
  keepAliveTimeoutMs: 10_000,
};
