// Uses every host call and callback of the library; each path of a request is one of them, and its answer says what came of it.

import {
  append_buffer_bytes,
  BaseContext,
  BufferTypeValues,
  Context,
  Counter,
  clear_route_cache,
  close_stream,
  continue_downstream,
  dequeue_shared_queue,
  dnsAddresses,
  enqueue_shared_queue,
  FilterDataStatusValues,
  FilterHeadersStatusValues,
  FilterStatusValues,
  FilterTrailersStatusValues,
  foreign_function,
  Gauge,
  GrpcHandler,
  GrpcStatusValues,
  get_buffer_bytes,
  get_buffer_status,
  get_metric,
  get_monotonic_time_nanoseconds,
  get_property_integer,
  get_property_string,
  get_shared_data,
  get_status,
  getEnv,
  grpc_metadata,
  HeaderPair,
  Headers,
  Histogram,
  LogLevelValues,
  log,
  PeerTypeValues,
  prepend_buffer_bytes,
  RootContext,
  register_shared_queue,
  registerRootContext,
  replace_buffer_bytes,
  resolve_dns,
  resolve_shared_queue,
  StreamTypeValues,
  send_http_response,
  send_local_response,
  set_shared_data,
  set_tick_period_milliseconds,
  stream_context,
  WasmResultValues,
} from "@chancery/filter-sdk";

const requests = new Counter("abi.requests");
const level = new Gauge("abi.level");
const sizes = new Histogram("abi.sizes");

class HttpRoot extends RootContext {
  private ticks: i32 = 0;
  started: string = "";

  override onStart(vm_configuration_size: u32): bool {
    const bytes = get_buffer_bytes(BufferTypeValues.VmConfiguration, 0, vm_configuration_size);
    this.started = String.UTF8.decode(bytes);
    return true;
  }

  override onConfigure(_size: u32): bool {
    register_shared_queue("jobs");
    return set_tick_period_milliseconds(10) === WasmResultValues.Ok;
  }

  override onTick(): void {
    this.ticks++;
    keep("ticks", this.ticks.toString());
    if (this.ticks === 50) set_tick_period_milliseconds(0);
  }

  override onQueueReady(token: u32): void {
    const job = dequeue_shared_queue(token);
    const data = job.data;
    if (data !== null) keep("job", String.UTF8.decode(data));
  }

  override onResolveDns(_token: u32, result_size: u32): void {
    const addresses = dnsAddresses(get_buffer_bytes(BufferTypeValues.CallData, 0, result_size));
    let text = "";
    for (let i = 0; i < addresses.length; i++) text += `${addresses[i].address} `;
    keep("addresses", text);
  }

  override createContext(context_id: u32): Context {
    return new HttpStream(context_id, this);
  }
}

class HttpStream extends Context {
  private path: string = "";

  override onRequestHeaders(_headers: u32, _end_of_stream: bool): FilterHeadersStatusValues {
    const path = stream_context.headers.request.get(":path");
    this.path = path;
    if (path.startsWith("/body")) {
      stream_context.headers.request.remove("content-length");
      return FilterHeadersStatusValues.Continue;
    }
    if (path === "/reset") {
      close_stream(StreamTypeValues.Request);
      return FilterHeadersStatusValues.StopIteration;
    }
    if (path === "/http-call") return this.httpCall("backend", "/hello");
    if (path === "/http-call-fails") return this.httpCall("nobody-listens", "/hello");
    if (path === "/http-call-unknown") return this.httpCall("no-such-cluster", "/hello");
    if (path === "/grpc-call") return this.grpc(false);
    if (path === "/grpc-stream") return this.grpc(true);
    send_http_response(200, "", String.UTF8.encode(this.answer(path)), []);
    return FilterHeadersStatusValues.StopIteration;
  }

  override onRequestBody(_size: u32, end_of_stream: bool): FilterDataStatusValues {
    if (!end_of_stream) return FilterDataStatusValues.StopIterationAndBuffer;
    const type = BufferTypeValues.HttpRequestBody;
    const length = get_buffer_status(type).length;
    const seen = String.UTF8.decode(get_buffer_bytes(type, 1, 2));
    if (this.path === "/body-replace") replace_buffer_bytes(type, String.UTF8.encode(`replaced ${seen} of ${length}`));
    prepend_buffer_bytes(type, String.UTF8.encode("<"));
    append_buffer_bytes(type, String.UTF8.encode(">"));
    return FilterDataStatusValues.Continue;
  }

  override onRequestTrailers(_trailers: u32): FilterTrailersStatusValues {
    stream_context.trailers.request.add("x-late", "1");
    return FilterTrailersStatusValues.Continue;
  }

  override onResponseHeaders(_headers: u32, _end_of_stream: bool): FilterHeadersStatusValues {
    stream_context.headers.response.replace("x-answered", "1");
    return FilterHeadersStatusValues.Continue;
  }

  override onLog(): void {
    if (this.path === "/log") {
      const status = stream_context.headers.response.get(":status");
      log(LogLevelValues.warn, `abi filter logs ${status} after ${get_property_integer("response.code").toString()}`);
    }
  }

  private answer(path: string): string {
    const request = stream_context.headers.request;
    if (path === "/vm") return `${(<HttpRoot>this.root_context).started} ${getEnv("COLOUR")} ${getEnv("NONE")}.`;
    if (path === "/cas") return compareAndSet();
    if (path === "/kept-ticks" || path === "/kept-job" || path === "/kept-addresses") return kept(path.substring(6));
    if (path === "/enqueue") {
      const queue = resolve_shared_queue(get_property_string("plugin_vm_id"), "jobs");
      const none = resolve_shared_queue("", "no such queue");
      const sent = enqueue_shared_queue(queue.token, String.UTF8.encode("a job"));
      return `${none.result.toString()} ${queue.result.toString()} ${sent.toString()}`;
    }
    if (path === "/resolve") return (resolve_dns("localhost") > 0).toString();
    if (path === "/metrics") return measure();
    if (path === "/headers") {
      let text = "";
      for (const header = request.each(); header.next(); ) {
        if (header.name.startsWith("x-n") && !header.valueEquals("skipped")) text += `${header.name}=${header.value} `;
      }
      const before = request.byteSize();
      request.add("x-new", "12345");
      return `${text}${(request.byteSize() - before).toString()} ${clear_route_cache().toString()}`;
    }
    if (path === "/properties") {
      set_shared_data("unused", new ArrayBuffer(0));
      return `${get_property_string("route_name")} ${get_property_string("xds.route_name")} ${get_property_integer("request.size").toString()} ${get_property_integer("none").toString()}`;
    }
    if (path === "/compress") {
      const packed = foreign_function("compress", String.UTF8.encode("a".repeat(1000)));
      const unpacked = foreign_function("uncompress", packed.data);
      const unknown = foreign_function("no such function", new ArrayBuffer(0)).result;
      return `${(packed.data.byteLength < 100).toString()} ${unpacked.data.byteLength.toString()} ${unknown.toString()}`;
    }
    if (path === "/clock") {
      const start = get_monotonic_time_nanoseconds();
      return (start > 0 && get_monotonic_time_nanoseconds() >= start && Math.random() < 1).toString();
    }
    return "nothing of that path";
  }

  private httpCall(cluster: string, path: string): FilterHeadersStatusValues {
    const headers: Headers = [
      HeaderPair.of(":method", "POST"),
      HeaderPair.of(":path", path),
      HeaderPair.of(":authority", "backend"),
    ];
    const result = this.root_context.httpCall(
      cluster,
      headers,
      String.UTF8.encode("asked"),
      [],
      2000,
      this,
      (origin: BaseContext, count: u32, body_size: usize, _trailers: u32) => {
        const stream = <HttpStream>origin;
        const status = stream_context.headers.http_callback.get(":status");
        const body = String.UTF8.decode(get_buffer_bytes(BufferTypeValues.HttpCallResponseBody, 0, <u32>body_size));
        stream.reply(count === 0 ? `failed: ${String.UTF8.decode(get_status().data)}` : `${status} ${body}`);
      },
    );
    if (result !== WasmResultValues.Ok) this.reply(`not sent: ${result.toString()}`);
    return FilterHeadersStatusValues.StopIteration;
  }

  private grpc(streaming: bool): FilterHeadersStatusValues {
    const cluster = String.UTF8.encode("grpc");
    const handler = new Echo(this);
    const metadata: Headers = [HeaderPair.of("x-from", "filter")];
    const root = this.root_context;
    const result = streaming
      ? root.grpcStream(cluster, "test.Echo", "Chat", metadata, handler)
      : root.grpcCall(cluster, "test.Echo", "Say", metadata, String.UTF8.encode("once"), 2000, handler);
    if (result !== WasmResultValues.Ok) this.reply(`not called: ${result.toString()}`);
    else if (streaming) {
      handler.send(String.UTF8.encode("one"), false);
      handler.send(String.UTF8.encode("two"), true);
    }
    return FilterHeadersStatusValues.StopIteration;
  }

  reply(text: string): void {
    send_local_response(200, "abi", String.UTF8.encode(text), [], GrpcStatusValues.InvalidCode);
  }
}

class Echo extends GrpcHandler {
  private heard: string = "";

  override onInitialMetadata(_headers: u32): void {
    this.heard += `initial ${grpc_metadata.initial.get("x-echo")}; `;
  }

  override onMessage(message: ArrayBuffer): void {
    this.heard += `message ${String.UTF8.decode(message)}; `;
  }

  override onTrailingMetadata(_trailers: u32): void {
    this.heard += `trailing ${grpc_metadata.trailing.get("x-bye")}; `;
  }

  override onClose(status: GrpcStatusValues, message: string): void {
    (<HttpStream>this.origin_context).reply(`${this.heard}closed ${status.toString()} ${message}`);
  }
}

function compareAndSet(): string {
  set_shared_data("n", String.UTF8.encode("1"));
  const first = get_shared_data("n");
  const stale = set_shared_data("n", String.UTF8.encode("2"), first.cas);
  const rejected = set_shared_data("n", String.UTF8.encode("3"), first.cas);
  const value = get_shared_data("n").value;
  const none = get_shared_data("none at all");
  const text = value === null ? "" : String.UTF8.decode(value);
  return `${stale.toString()} ${rejected.toString()} ${text} ${none.result.toString()} ${(none.value === null).toString()}`;
}

function measure(): string {
  requests.increment(2);
  level.record(7);
  level.increment(-3);
  sizes.record(12);
  sizes.record(sizes.metric_id, 13);
  const count = get_metric(requests.metric_id).data;
  return `${count.toString()} ${get_metric(level.metric_id).data.toString()} ${get_metric(sizes.metric_id).result.toString()}`;
}

function keep(key: string, text: string): void {
  set_shared_data(key, String.UTF8.encode(text));
}

function kept(key: string): string {
  const value = get_shared_data(key).value;
  return value === null ? "" : String.UTF8.decode(value);
}

class TcpRoot extends RootContext {
  override createContext(context_id: u32): Context {
    return new Connection(context_id, this);
  }
}

/** Greets the client, holds its data back until a line is whole, and writes the server's answer in brackets. */
class Connection extends Context {
  override onNewConnection(): FilterStatusValues {
    log(LogLevelValues.warn, "abi filter sees a connection");
    return FilterStatusValues.Continue;
  }

  override onDownstreamData(size: u32, end: bool): FilterStatusValues {
    const bytes = get_buffer_bytes(BufferTypeValues.NetworkDownstreamData, 0, size);
    if (end) return FilterStatusValues.Continue;
    if (!String.UTF8.decode(bytes).endsWith("\n")) return FilterStatusValues.StopIteration;
    prepend_buffer_bytes(BufferTypeValues.NetworkDownstreamData, String.UTF8.encode(`${size.toString()} bytes: `));
    continue_downstream();
    return FilterStatusValues.Continue;
  }

  override onUpstreamData(_size: u32, _end: bool): FilterStatusValues {
    prepend_buffer_bytes(BufferTypeValues.NetworkUpstreamData, String.UTF8.encode("["));
    append_buffer_bytes(BufferTypeValues.NetworkUpstreamData, String.UTF8.encode("]"));
    return FilterStatusValues.Continue;
  }

  override onDownstreamConnectionClose(peer: PeerTypeValues): void {
    log(LogLevelValues.warn, `abi filter sees the client go, ${peer.toString()}`);
  }

  override onUpstreamConnectionClose(peer: PeerTypeValues): void {
    log(LogLevelValues.warn, `abi filter sees the server go, ${peer.toString()}`);
  }
}

registerRootContext((context_id: u32) => new HttpRoot(context_id), "http");
registerRootContext((context_id: u32) => new TcpRoot(context_id), "tcp");
