/** The limits of the gRPC server. They hold for every client and every method. */
export interface TransportLimits {
  /**
   * The maximum size of a message in either direction, in bytes. A delta client that reconnects lists every version that it
   * holds, so its first request can be large.
   */
  readonly maxMessageBytes: number;
  /** The maximum memory for incomplete messages of all clients together, in bytes. */
  readonly maxPartialBytes: number;
  /** The maximum size of a call's HTTP/2 headers, in bytes. */
  readonly maxHeaderBytes: number;
  /** The maximum number of open connections. */
  readonly maxConnections: number;
  /** The maximum number of open calls, of all clients together. Each discovery stream is one call. */
  readonly maxStreams: number;
  /** The maximum number of open calls on one connection. */
  readonly maxStreamsPerConnection: number;
  /** After this time without reading the messages sent to it, a client's call is ended. In milliseconds. */
  readonly unreadTimeoutMs: number;
  /** The maximum time for a TLS handshake, in milliseconds. */
  readonly handshakeTimeoutMs: number;
  /** After this time without an open call, a connection is closed. In milliseconds. */
  readonly idleConnectionMs: number;
  /**
   * The interval between checks of a connection, in milliseconds. A connection that sent nothing since the last check gets a
   * ping.
   */
  readonly keepAliveMs: number;
  /** The maximum time until something arrives after a ping, in milliseconds. Then the connection is closed. */
  readonly keepAliveTimeoutMs: number;
  /** The interval between checks of the certificate files for a new certificate, in milliseconds. */
  readonly tlsReloadMs: number;
}

export const defaultTransportLimits: TransportLimits = {
  maxMessageBytes: 32 * 1024 * 1024,
  maxPartialBytes: 1024 * 1024 * 1024,
  maxHeaderBytes: 16 * 1024,
  maxConnections: 20_000,
  maxStreams: 20_000,
  maxStreamsPerConnection: 1_000,
  unreadTimeoutMs: 120_000,
  handshakeTimeoutMs: 10_000,
  idleConnectionMs: 300_000,
  keepAliveMs: 30_000,
  keepAliveTimeoutMs: 10_000,
  tlsReloadMs: 10_000,
};
