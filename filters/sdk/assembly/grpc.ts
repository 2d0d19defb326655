import { BaseContext } from "./base-context";
import { get_buffer_bytes } from "./buffers";
import { findContext } from "./contexts";
import { proxy_grpc_call, proxy_grpc_cancel, proxy_grpc_close, proxy_grpc_send, proxy_grpc_stream } from "./env";
import { encodedPairsSize, encodePairs, Headers } from "./header-pairs";
import { OUT } from "./memory";
import { encode, encodedSize } from "./text";
import { BufferTypeValues, GrpcStatusValues, WasmResultValues } from "./values";

/** Receives the events of a gRPC call or stream, and writes to the stream. Use one handler for each call. */
export abstract class GrpcHandler {
  /** Host calls in the methods act on this context. */
  readonly origin_context: BaseContext;
  /** 0 before the call, and after it has ended. */
  token: u32 = 0;
  /** True when the first message ends the call. */
  private unary: bool = false;
  private calls: Map<u32, GrpcHandler> | null = null;

  constructor(origin_context: BaseContext) {
    this.origin_context = origin_context;
  }

  /** Initial metadata of a stream arrived: `grpc_metadata.initial`. Envoy does not pass the metadata of a call. */
  onInitialMetadata(_headers: u32): void {}

  /** A message arrived: a serialized protobuf. */
  onMessage(_message: ArrayBuffer): void {}

  /** Trailing metadata of a stream arrived: `grpc_metadata.trailing`. */
  onTrailingMetadata(_trailers: u32): void {}

  /** The call ended, for any reason. It is the last event. The message is empty unless the call failed. */
  onClose(_status: GrpcStatusValues, _message: string): void {}

  /** Writes a message to a stream. `end` closes this side of the stream. */
  send(message: ArrayBuffer, end: bool): WasmResultValues {
    return proxy_grpc_send(this.token, changetype<usize>(message), message.byteLength, end ? 1 : 0);
  }

  /** Closes this side of a stream. */
  close(): WasmResultValues {
    return proxy_grpc_close(this.token);
  }

  /** Ends the call or stream at once. `onClose` is not called. */
  cancel(): WasmResultValues {
    const token = this.token;
    this.ended();
    return proxy_grpc_cancel(token);
  }

  began(token: u32, unary: bool, calls: Map<u32, GrpcHandler>): void {
    this.token = token;
    this.unary = unary;
    this.calls = calls;
    calls.set(token, this);
  }

  /** Receives a message. Envoy does not notify of the end of a call after its answer, so this does. */
  received(message: ArrayBuffer): void {
    if (this.unary) this.ended();
    this.onMessage(message);
    if (this.unary) this.onClose(GrpcStatusValues.Ok, "");
  }

  ended(): void {
    const calls = this.calls;
    if (calls) calls.delete(this.token);
    this.token = 0;
  }

  /** True when the handler's stream still exists. Makes host calls act on it. */
  ready(): bool {
    const origin = this.origin_context;
    return findContext(origin.context_id) === origin && origin.setEffectiveContext() === WasmResultValues.Ok;
  }
}

/** Begins a call with one message. When the host accepts it, its token is at `OUT`. */
export function beginGrpcCall(
  service: ArrayBuffer,
  service_name: string,
  method_name: string,
  initial_metadata: Headers,
  message: ArrayBuffer,
  timeout_milliseconds: u32,
): WasmResultValues {
  const name = encode(service_name);
  const nameSize = encodedSize;
  const method = encode(method_name);
  const methodSize = encodedSize;
  const metadata = encodePairs(initial_metadata);
  return proxy_grpc_call(
    changetype<usize>(service),
    service.byteLength,
    name,
    nameSize,
    method,
    methodSize,
    metadata,
    encodedPairsSize,
    changetype<usize>(message),
    message.byteLength,
    timeout_milliseconds,
    OUT,
  );
}

/** Begins a stream. When the host accepts it, its token is at `OUT`. */
export function beginGrpcStream(
  service: ArrayBuffer,
  service_name: string,
  method_name: string,
  initial_metadata: Headers,
): WasmResultValues {
  const name = encode(service_name);
  const nameSize = encodedSize;
  const method = encode(method_name);
  const methodSize = encodedSize;
  const metadata = encodePairs(initial_metadata);
  return proxy_grpc_stream(
    changetype<usize>(service),
    service.byteLength,
    name,
    nameSize,
    method,
    methodSize,
    metadata,
    encodedPairsSize,
    OUT,
  );
}

/** The message of the running callback. */
export function receivedMessage(size: u32): ArrayBuffer {
  return get_buffer_bytes(BufferTypeValues.GrpcReceiveBuffer, 0, size);
}
