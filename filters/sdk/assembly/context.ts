import { BaseContext } from "./base-context";
import { get_buffer_string } from "./buffers";
import { proxy_done } from "./env";
import { beginGrpcCall, beginGrpcStream, GrpcHandler, receivedMessage } from "./grpc";
import { Headers } from "./header-pairs";
import { beginHttpCall, HttpCallback, HttpCallbackFunction, HttpHandler } from "./http-calls";
import { get_status, refresh_log_level } from "./log";
import { OUT } from "./memory";
import {
  BufferTypeValues,
  FilterDataStatusValues,
  FilterHeadersStatusValues,
  FilterMetadataStatusValues,
  FilterStatusValues,
  FilterTrailersStatusValues,
  GrpcStatusValues,
  PeerTypeValues,
  WasmResultValues,
} from "./values";

/** One configured filter. A VM may have several: each listener and each new configuration creates its own. */
export class RootContext extends BaseContext {
  private configuration: string = "";
  private http_calls: Map<u32, HttpHandler> | null = null;
  private grpc_calls: Map<u32, GrpcHandler> | null = null;

  constructor(context_id: u32) {
    super(context_id);
  }

  /** The filter's configuration as text; empty when it has none. */
  getConfiguration(): string {
    return this.configuration;
  }

  /** Creates the context of a stream. */
  createContext(context_id: u32): Context {
    return new Context(context_id, this);
  }

  onStart(_vm_configuration_size: u32): bool {
    return true;
  }

  /** Reads the configuration. Return false to reject it: the proxy then keeps the previous one. Log the reason. */
  onConfigure(_configuration_size: u32): bool {
    return true;
  }

  /** Like `onConfigure`, for a host that only checks a configuration. */
  validateConfiguration(_configuration_size: u32): bool {
    return true;
  }

  /** Called with the period that `set_tick_period_milliseconds` set. */
  onTick(): void {}

  /** A queue that this VM registered has an entry. */
  onQueueReady(_token: u32): void {}

  /** The answer to `resolve_dns` is in the buffer `CallData`, for `dnsAddresses`. */
  onResolveDns(_token: u32, _result_size: u32): void {}

  /** Ends a root whose `onDone` answered false. */
  done(): WasmResultValues {
    return proxy_done();
  }

  /**
   * Sends an HTTP request to a cluster. `headers` must contain :method, :path and :authority. `cb` is called with the
   * answer, unless the origin context is deleted by then. A timeout of 0 means no timeout.
   */
  httpCall(
    cluster: string,
    headers: Headers,
    body: ArrayBuffer,
    trailers: Headers,
    timeout_milliseconds: u32,
    origin_context: BaseContext,
    cb: HttpCallbackFunction,
  ): WasmResultValues {
    const handler = new HttpCallback(origin_context, cb);
    return this.httpCallFor(cluster, headers, body, trailers, timeout_milliseconds, handler);
  }

  /** Like `httpCall`, with an object that receives the answer. */
  httpCallFor(
    cluster: string,
    headers: Headers,
    body: ArrayBuffer,
    trailers: Headers,
    timeout_milliseconds: u32,
    handler: HttpHandler,
  ): WasmResultValues {
    const result = beginHttpCall(cluster, headers, body, trailers, timeout_milliseconds);
    if (result !== WasmResultValues.Ok) return result;
    let calls = this.http_calls;
    if (!calls) {
      calls = new Map();
      this.http_calls = calls;
    }
    calls.set(load<u32>(OUT), handler);
    return result;
  }

  onHttpCallResponse(token: u32, headers: u32, body_size: u32, trailers: u32): void {
    const calls = this.http_calls;
    if (!calls || !calls.has(token)) return;
    const call = calls.get(token);
    calls.delete(token);
    call.answer(headers, body_size, trailers);
  }

  /** Abandons all pending HTTP calls: each callback runs now, with an empty response. */
  cancelPendingRequests(): void {
    const calls = this.http_calls;
    if (!calls) return;
    this.http_calls = null;
    const pending = calls.values();
    for (let i = 0; i < pending.length; i++) pending[i].answer(0, 0, 0);
  }

  /**
   * Calls a gRPC method with one message. `service` is the name of a cluster, as bytes, or a serialized
   * envoy.config.core.v3.GrpcService. The handler receives the events of the call. A timeout of 0 means no timeout.
   */
  grpcCall(
    service: ArrayBuffer,
    service_name: string,
    method_name: string,
    initial_metadata: Headers,
    message: ArrayBuffer,
    timeout_milliseconds: u32,
    handler: GrpcHandler,
  ): WasmResultValues {
    return this.begun(
      beginGrpcCall(service, service_name, method_name, initial_metadata, message, timeout_milliseconds),
      true,
      handler,
    );
  }

  /** Opens a gRPC stream. Write to it with the handler's `send`. */
  grpcStream(
    service: ArrayBuffer,
    service_name: string,
    method_name: string,
    initial_metadata: Headers,
    handler: GrpcHandler,
  ): WasmResultValues {
    return this.begun(beginGrpcStream(service, service_name, method_name, initial_metadata), false, handler);
  }

  on_grpc_receive_initial_metadata(token: u32, headers: u32): void {
    const handler = this.grpcHandler(token);
    if (handler) handler.onInitialMetadata(headers);
  }

  on_grpc_receive(token: u32, response_size: u32): void {
    const handler = this.grpcHandler(token);
    if (handler) handler.received(receivedMessage(response_size));
  }

  on_grpc_trailing_metadata(token: u32, trailers: u32): void {
    const handler = this.grpcHandler(token);
    if (handler) handler.onTrailingMetadata(trailers);
  }

  on_grpc_close(token: u32, status_code: u32): void {
    const message = status_code === 0 ? "" : String.UTF8.decode(get_status().data);
    const handler = this.grpcHandler(token);
    if (!handler) return;
    handler.ended();
    handler.onClose(<GrpcStatusValues>status_code, message);
  }

  /** Stores the configuration, which can be read only while the proxy configures the root. */
  configure(size: u32): bool {
    refresh_log_level();
    if (size > 0) {
      this.configuration = get_buffer_string(BufferTypeValues.PluginConfiguration, 0, size);
    }
    return this.onConfigure(size);
  }

  private begun(result: WasmResultValues, unary: bool, handler: GrpcHandler): WasmResultValues {
    if (result !== WasmResultValues.Ok) return result;
    let calls = this.grpc_calls;
    if (!calls) {
      calls = new Map();
      this.grpc_calls = calls;
    }
    handler.began(load<u32>(OUT), unary, calls);
    return result;
  }

  /** The handler of a call; null when the call or the handler's stream has ended. */
  private grpcHandler(token: u32): GrpcHandler | null {
    const calls = this.grpc_calls;
    if (!calls || !calls.has(token)) return null;
    const handler = calls.get(token);
    if (handler.ready()) return handler;
    handler.ended();
    return null;
  }
}

/** One HTTP stream or one TCP connection. Created before its first callback, and freed after `onDelete`. */
export class Context extends BaseContext {
  readonly root_context: RootContext;

  constructor(context_id: u32, root_context: RootContext) {
    super(context_id);
    this.root_context = root_context;
  }

  onNewConnection(): FilterStatusValues {
    return FilterStatusValues.Continue;
  }

  /** `size` is the length of the buffer `NetworkDownstreamData`. While data is held, that is all data so far. */
  onDownstreamData(_size: u32, _end: bool): FilterStatusValues {
    return FilterStatusValues.Continue;
  }

  onUpstreamData(_size: u32, _end: bool): FilterStatusValues {
    return FilterStatusValues.Continue;
  }

  onDownstreamConnectionClose(_peer: PeerTypeValues): void {}

  onUpstreamConnectionClose(_peer: PeerTypeValues): void {}

  onRequestHeaders(_headers: u32, _end_of_stream: bool): FilterHeadersStatusValues {
    return FilterHeadersStatusValues.Continue;
  }

  onRequestMetadata(_elements: u32): FilterMetadataStatusValues {
    return FilterMetadataStatusValues.Continue;
  }

  /** `body_buffer_length` is the length of the buffer now. While the body is buffered, that is all of it so far. */
  onRequestBody(_body_buffer_length: u32, _end_of_stream: bool): FilterDataStatusValues {
    return FilterDataStatusValues.Continue;
  }

  onRequestTrailers(_trailers: u32): FilterTrailersStatusValues {
    return FilterTrailersStatusValues.Continue;
  }

  onResponseHeaders(_headers: u32, _end_of_stream: bool): FilterHeadersStatusValues {
    return FilterHeadersStatusValues.Continue;
  }

  onResponseMetadata(_elements: u32): FilterMetadataStatusValues {
    return FilterMetadataStatusValues.Continue;
  }

  onResponseBody(_body_buffer_length: u32, _end_of_stream: bool): FilterDataStatusValues {
    return FilterDataStatusValues.Continue;
  }

  onResponseTrailers(_trailers: u32): FilterTrailersStatusValues {
    return FilterTrailersStatusValues.Continue;
  }

  /**
   * The stream has ended. Headers can be read but not written. Also called for streams that never reached the filter.
   */
  onLog(): void {}
}
