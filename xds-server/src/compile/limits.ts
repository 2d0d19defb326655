import { create } from "@bufbuild/protobuf";
import { Http2ProtocolOptionsSchema } from "xds-proto-ts/envoy/config/core/v3/protocol";

// Envoy's "Configuring Envoy as an edge proxy" gives these values; its defaults let one client take all memory.

/** Bytes buffered for each connection before Envoy stops reading. */
export const connectionBufferBytes = 32 * 1024;

const maxConcurrentStreams = 100;
const initialStreamWindowSize = 64 * 1024;
const initialConnectionWindowSize = 1024 * 1024;

/** Streams at once, and bytes on the way for a stream and for a connection. */
export const http2Limits = create(Http2ProtocolOptionsSchema, {
  maxConcurrentStreams,
  initialStreamWindowSize,
  initialConnectionWindowSize,
});

/** How long a stream may be silent. */
export const streamIdleTimeout = "5m";

/** How long a client may take to send a request's headers. */
export const requestHeadersTimeout = "30s";
