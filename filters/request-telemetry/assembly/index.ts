import {
  acceptedConfiguration,
  Context,
  Counter,
  FilterHeadersStatusValues,
  get_current_time_nanoseconds,
  get_property_string,
  Histogram,
  parseJson,
  RootContext,
  registerRootContext,
  stream_context,
} from "@chancery/filter-sdk";

/** What a VM measures with. Made by the first configuration: a limit cannot change under metrics that exist. */
let requests: Counter | null = null;
let latency: Histogram | null = null;

class TelemetryRoot extends RootContext {
  override onConfigure(configuration_size: u32): bool {
    let maxSeries = 1000;
    if (configuration_size > 0) {
      const json = parseJson(this.getConfiguration());
      if (json.problems.length === 0) {
        json.onlyMembers(["maxSeries"]);
        const limit = json.member("maxSeries");
        if (limit.exists) maxSeries = limit.asInteger(1, 100000);
      }
      if (!acceptedConfiguration(json, "request-telemetry")) return false;
    }
    if (!requests) requests = new Counter("request_telemetry.requests", maxSeries);
    if (!latency) latency = new Histogram("request_telemetry.latency_ms", maxSeries);
    return true;
  }

  override createContext(context_id: u32): Context {
    return new TelemetryContext(context_id, this);
  }
}

class TelemetryContext extends Context {
  /** 0 for a stream that never reached this filter. */
  private startedAt: u64 = 0;

  override onRequestHeaders(_headers: u32, _end_of_stream: bool): FilterHeadersStatusValues {
    this.startedAt = get_current_time_nanoseconds();
    return FilterHeadersStatusValues.Continue;
  }

  override onLog(): void {
    const route = routeName();
    const status = statusClass(stream_context.headers.response.get(":status"));
    const counter = requests;
    if (counter) counter.tag("route", route).tag("status", status).increment(1);
    const histogram = latency;
    if (!histogram || this.startedAt === 0) return;
    const now = get_current_time_nanoseconds();
    // The wall clock may have been set back.
    const elapsed: u64 = now > this.startedAt ? now - this.startedAt : 0;
    histogram
      .tag("route", route)
      .tag("status", status)
      .record(elapsed / 1000000);
  }
}

/** A route that has no name is known by its virtual host. */
function routeName(): string {
  const route = get_property_string("xds.route_name");
  return route !== "" ? route : get_property_string("xds.virtual_host_name");
}

/** "2xx"; "none" when there was no response. */
function statusClass(status: string): string {
  return status.length === 3 ? `${status.charAt(0)}xx` : "none";
}

registerRootContext((context_id: u32) => new TelemetryRoot(context_id), "request-telemetry");
