import {
  proxy_continue_stream,
  proxy_get_buffer_bytes,
  proxy_get_current_time_nanoseconds,
  proxy_get_property,
  proxy_send_local_response,
  proxy_set_buffer_bytes,
  proxy_set_property,
} from "./env";
import { encodedPairsSize, encodePairs, Headers } from "./headers";
import { OUT } from "./memory";
import { decode, encode, encodedSize } from "./text";
import { BufferTypeValues, GrpcStatusValues, StreamTypeValues, WasmResultValues } from "./values";

/**
 * Answers the request from here: it goes no further, and the answer passes the response callbacks of the filters.
 * Return `StopIteration` after it. `response_code_details` goes to the access log.
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

/** Lets a request go on that a callback stopped. */
export function continue_request(): WasmResultValues {
  return proxy_continue_stream(StreamTypeValues.Request);
}

/** Lets a response go on that a callback stopped. */
export function continue_response(): WasmResultValues {
  return proxy_continue_stream(StreamTypeValues.Response);
}

/** Bytes of a body, or of the configuration; fewer than asked for where the buffer ends, none when it cannot be read now. */
export function get_buffer_bytes(type: BufferTypeValues, start: u32, length: u32): ArrayBuffer {
  return answered(proxy_get_buffer_bytes(type, start, length, OUT, OUT + 4));
}

/** Replaces `length` bytes at the start of a body; a `start` at or beyond its end appends. */
export function set_buffer_bytes(type: BufferTypeValues, start: u32, length: u32, data: ArrayBuffer): WasmResultValues {
  return proxy_set_buffer_bytes(type, start, length, changetype<usize>(data), data.byteLength);
}

/**
 * A property of the stream, the connection or the proxy, by its path: "xds.route_name". Empty when there is none.
 * Dots part the path; a path that contains "\0" is parted by that instead, for names with dots in them.
 */
export function get_property(path: string): ArrayBuffer {
  return answered(readProperty(path));
}

/** A property as text. */
export function get_property_string(path: string): string {
  if (readProperty(path) !== WasmResultValues.Ok) return "";
  return decode(load<usize>(OUT), load<usize>(OUT, 4));
}

/** Keeps bytes with the stream, for later filters too; `get_property` finds them under the same path. */
export function set_property(path: string, data: ArrayBuffer): WasmResultValues {
  const name = encode(path);
  return proxy_set_property(name, encodedSize, changetype<usize>(data), data.byteLength);
}

/** Wall clock, since 1970. */
export function get_current_time_nanoseconds(): u64 {
  return proxy_get_current_time_nanoseconds(OUT) === WasmResultValues.Ok ? load<u64>(OUT) : 0;
}

function readProperty(path: string): WasmResultValues {
  const parted = path.includes("\0");
  const name = encode(path);
  const size = encodedSize;
  for (let i: usize = 0; !parted && i < size; i++) if (load<u8>(name + i) === 46 /* . */) store<u8>(name + i, 0);
  return proxy_get_property(name, size, OUT, OUT + 4);
}

/** What the host just wrote, as the filter's own. */
function answered(result: WasmResultValues): ArrayBuffer {
  if (result !== WasmResultValues.Ok) return new ArrayBuffer(0);
  const size = load<usize>(OUT, 4);
  const bytes = new ArrayBuffer(<i32>size);
  memory.copy(changetype<usize>(bytes), load<usize>(OUT), size);
  return bytes;
}
