import { BaseContext } from "./base-context";
import { get_buffer_bytes } from "./buffers";
import { findContext } from "./contexts";
import { proxy_grpc_call, proxy_grpc_cancel, proxy_grpc_close, proxy_grpc_send, proxy_grpc_stream } from "./env";
import { encodedPairsSize, encodePairs, Headers } from "./header-pairs";
import { OUT } from "./memory";
import { encode, encodedSize } from "./text";
import { BufferTypeValues, GrpcStatusValues, WasmResultValues } from "./values";

/** What a gRPC call's or stream's events are given to, and what the stream is written with. One for each call. */
export abstract class GrpcHandler {
  /** The context that the host calls of the methods act on. */
  readonly origin_context: BaseContext;
  /** 0 before the call, and after it has ended. */
  token: u32 = 0;
  /** Whether the first message is the last. */
  private unary: bool = false;
  private calls: Map<u32, GrpcHandler> | null = null;

  constructor(origin_context: BaseContext) {
    this.origin_context = origin_context;
  }

  /** Metadata of a stream has come: `grpc_metadata.initial`. Envoy keeps a call's to itself. */
  onInitialMetadata(_headers: u32): void {}

  /** A message has come, a serialized protobuf. */
  onMessage(_message: ArrayBuffer): void {}

  /** Metadata of a stream has come: `grpc_metadata.trailing`. */
  onTrailingMetadata(_trailers: u32): void {}

  /** The end, whatever its cause; nothing comes after it. The message is of a failure. */
  onClose(_status: GrpcStatusValues, _message: string): void {}

  /** Writes a message to a stream; `end` closes this side of it. */
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

  /** Takes a message. Envoy says nothing more of a call that has its answer. */
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

  /** Whether the handler's stream is still there; one that is gone hears nothing more. */
  ready(): bool {
    const origin = this.origin_context;
    return findContext(origin.context_id) === origin && origin.setEffectiveContext() === WasmResultValues.Ok;
  }
}

/** Begins a call with one message. Its token is at `OUT` when the host takes it. */
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

/** Begins a stream. Its token is at `OUT` when the host takes it. */
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

/** The message that a callback is about. */
export function receivedMessage(size: u32): ArrayBuffer {
  return get_buffer_bytes(BufferTypeValues.GrpcReceiveBuffer, 0, size);
}
