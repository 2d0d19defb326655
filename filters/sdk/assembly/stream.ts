import { proxy_close_stream, proxy_continue_stream, proxy_send_local_response } from "./env";
import { encodedPairsSize, encodePairs, Headers } from "./header-pairs";
import { encode, encodedSize } from "./text";
import { GrpcStatusValues, StreamTypeValues, WasmResultValues } from "./values";

/**
 * Answers the request from the filter. The request goes no further, and the answer passes the response callbacks of the
 * filters. Return `StopIteration` after it. `response_code_details` is written to the access log.
 */
export function send_local_response(
  response_code: u32,
  response_code_details: string,
  body: ArrayBuffer,
  additional_headers: Headers,
  grpc_status: GrpcStatusValues,
): WasmResultValues {
  const details = encode(response_code_details);
  const detailsSize = encodedSize;
  const pairs = encodePairs(additional_headers);
  return proxy_send_local_response(
    response_code,
    details,
    detailsSize,
    changetype<usize>(body),
    body.byteLength,
    pairs,
    encodedPairsSize,
    grpc_status,
  );
}

/** Like `send_local_response`, without a gRPC status. */
export function send_http_response(
  response_code: u32,
  response_code_details: string,
  body: ArrayBuffer,
  additional_headers: Headers,
): WasmResultValues {
  return send_local_response(
    response_code,
    response_code_details,
    body,
    additional_headers,
    GrpcStatusValues.InvalidCode,
  );
}

/** Continues a request that a callback stopped. */
export function continue_request(): WasmResultValues {
  return proxy_continue_stream(StreamTypeValues.Request);
}

/** Continues a response that a callback stopped. */
export function continue_response(): WasmResultValues {
  return proxy_continue_stream(StreamTypeValues.Response);
}

/**
 * Continues data from the client of a TCP connection that a callback stopped. Envoy cannot do this for upstream's data.
 */
export function continue_downstream(): WasmResultValues {
  return proxy_continue_stream(StreamTypeValues.Downstream);
}

/** Resets an HTTP stream, or closes one side of a TCP connection. */
export function close_stream(type: StreamTypeValues): WasmResultValues {
  return proxy_close_stream(type);
}
