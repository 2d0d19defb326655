import {
  Context,
  Counter,
  FilterHeadersStatusValues,
  get_current_time_nanoseconds,
  Histogram,
  RootContext,
  registerRootContext,
  stream_context,
} from "@chancery/filter-sdk";

const requests = new Counter("req");
const latency = new Histogram("lat");

class MetricsRoot extends RootContext {
  override createContext(context_id: u32): Context {
    return new Metrics(context_id, this);
  }
}

class Metrics extends Context {
  private start: u64 = 0;
  private method: string = "";
  private tenant: string = "";

  override onRequestHeaders(_headers: u32, _end_of_stream: bool): FilterHeadersStatusValues {
    this.start = get_current_time_nanoseconds();
    this.method = stream_context.headers.request.get(":method");
    this.tenant = stream_context.headers.request.get("x-tenant");
    return FilterHeadersStatusValues.Continue;
  }

  override onLog(): void {
    const code = stream_context.headers.response.get(":status");
    const elapsed = (get_current_time_nanoseconds() - this.start) / 1000000;
    requests.tag("method", this.method).tag("tenant", this.tenant).tag("code", code).increment(1);
    latency.tag("method", this.method).tag("tenant", this.tenant).tag("code", code).record(elapsed);
  }
}

registerRootContext((context_id: u32) => new MetricsRoot(context_id), "metrics");
