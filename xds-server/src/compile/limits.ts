import { create } from "@bufbuild/protobuf";
import { Http2ProtocolOptionsSchema } from "xds-proto-ts/envoy/config/core/v3/protocol";

// These values are from Envoy's "Configuring Envoy as an edge proxy". With Envoy's defaults one client can use all memory.

/** The number of bytes that Envoy buffers for a connection before it stops reading. */
export const connectionBufferBytes = 32 * 1024;

const maxConcurrentStreams = 100;
const initialStreamWindowSize = 64 * 1024;
const initialConnectionWindowSize = 1024 * 1024;

/** Limits of a connection: concurrent streams, and unread bytes of a stream and of the connection. */
export const http2Limits = create(Http2ProtocolOptionsSchema, {
  maxConcurrentStreams,
  initialStreamWindowSize,
  initialConnectionWindowSize,
});

/** How long a stream may be idle. */
export const streamIdleTimeout = "5m";

/** How long a client may take to send a request's headers. */
export const requestHeadersTimeout = "30s";
