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
