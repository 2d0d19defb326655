import {
  BufferTypeValues,
  Context,
  FilterDataStatusValues,
  FilterHeadersStatusValues,
  Gauge,
  get_buffer_bytes,
  get_property_string,
  HeaderPair,
  LogLevelValues,
  log,
  log_enabled,
  RootContext,
  registerRootContext,
  set_buffer_bytes,
  set_property,
  stream_context,
} from "@chancery/filter-sdk";

// Uses what the shipped filters do not, and says in response headers what it saw.

const streams = new Gauge("probe.streams");

class ProbeRoot extends RootContext {
  override createContext(context_id: u32): Context {
    return new Probe(context_id, this);
  }
}

class Probe extends Context {
  private seen: string = "";

  override onRequestHeaders(_headers: u32, _end_of_stream: bool): FilterHeadersStatusValues {
    streams.increment(1);
    const headers = stream_context.headers.request;
    if (headers.has("x-trap")) throw new Error("as asked");
    headers.add("x-two", "1");
    headers.add("x-two", "é");
    headers.replace("x-new", "new");
    headers.remove("x-gone");
    this.seen = headers.equals("x-two", "é") && headers.startsWith("x-two", "1") ? "both " : "not both ";
    this.seen += `${headers.get("x-two")} ${headers.get("x-new")} ${headers.has("x-gone").toString()}`;
    set_property("probe", String.UTF8.encode("kept"));
    this.seen += ` ${get_property_string("probe")} ${get_property_string("request.method")}`;
    if (log_enabled(LogLevelValues.debug)) log(LogLevelValues.debug, "not built unless wanted");
    return FilterHeadersStatusValues.Continue;
  }

  override onResponseHeaders(_headers: u32, _end_of_stream: bool): FilterHeadersStatusValues {
    const headers = stream_context.headers.response;
    const all = headers.get_headers();
    all.push(HeaderPair.of("x-seen", this.seen));
    headers.set_headers(all);
    headers.remove("content-length");
    return FilterHeadersStatusValues.Continue;
  }

  override onResponseBody(body_buffer_length: u32, end_of_stream: bool): FilterDataStatusValues {
    if (!end_of_stream) return FilterDataStatusValues.StopIterationAndBuffer;
    const body = String.UTF8.decode(get_buffer_bytes(BufferTypeValues.HttpResponseBody, 0, body_buffer_length));
    set_buffer_bytes(BufferTypeValues.HttpResponseBody, 0, body_buffer_length, String.UTF8.encode(`<${body}>`));
    return FilterDataStatusValues.Continue;
  }

  override onDone(): bool {
    streams.increment(-1);
    return true;
  }
}

registerRootContext((context_id: u32) => new ProbeRoot(context_id), "probe");
registerRootContext((context_id: u32) => new RootContext(context_id), "idle");
