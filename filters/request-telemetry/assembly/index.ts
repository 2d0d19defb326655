import {
  acceptedConfiguration,
  Context,
  Counter,
  FilterHeadersStatusValues,
  get_current_time_nanoseconds,
  get_property_integer,
  get_property_string,
  Histogram,
  parseJson,
  RootContext,
  registerRootContext,
  stream_context,
} from "@chancery/filter-sdk";
import { readSettings, Settings, Tag, tagNames } from "./configuration";

/** The metrics for one set of tags. */
@final
class Instruments {
  requests: Counter;
  latency: Histogram;
  requestBytes: Histogram;
  responseBytes: Histogram;

  constructor(maxSeries: i32) {
    this.requests = new Counter("request_telemetry.requests", maxSeries);
    this.latency = new Histogram("request_telemetry.latency_ms", maxSeries);
    this.requestBytes = new Histogram("request_telemetry.request_bytes", maxSeries);
    this.responseBytes = new Histogram("request_telemetry.response_bytes", maxSeries);
  }
}

/** By the set of tags. The first configuration creates them, because the limit of existing metrics cannot change. */
const instruments = new StaticArray<Instruments | null>(1 << tagNames.length);

class TelemetryRoot extends RootContext {
  settings: Settings = new Settings();

  override onConfigure(configuration_size: u32): bool {
    if (configuration_size > 0) {
      const json = parseJson(this.getConfiguration());
      if (json.problems.length === 0) this.settings = readSettings(json);
      if (!acceptedConfiguration(json, "request-telemetry")) return false;
    }
    const tags = this.settings.tags;
    if (!instruments[tags]) instruments[tags] = new Instruments(this.settings.maxSeries);
    return true;
  }

  override createContext(context_id: u32): Context {
    return new TelemetryContext(context_id, this, this.settings);
  }
}

class TelemetryContext extends Context {
  private settings: Settings;
  /** 0 for a stream that never reached this filter. */
  private startedAt: u64 = 0;

  constructor(context_id: u32, root: RootContext, settings: Settings) {
    super(context_id, root);
    this.settings = settings;
  }

  override onRequestHeaders(_headers: u32, _end_of_stream: bool): FilterHeadersStatusValues {
    this.startedAt = get_current_time_nanoseconds();
    return FilterHeadersStatusValues.Continue;
  }

  override onLog(): void {
    const untagged = instruments[this.settings.tags];
    if (!untagged) return;
    const sizes = this.settings.sizes;
    let requests = untagged.requests;
    let latency = untagged.latency;
    let requestBytes = untagged.requestBytes;
    let responseBytes = untagged.responseBytes;
    for (let tag = 0; tag < tagNames.length; tag++) {
      if ((this.settings.tags & (1 << tag)) === 0) continue;
      const name = tagNames[tag];
      const value = tagValue(tag);
      requests = requests.tag(name, value);
      latency = latency.tag(name, value);
      if (!sizes) continue;
      requestBytes = requestBytes.tag(name, value);
      responseBytes = responseBytes.tag(name, value);
    }
    requests.increment(1);
    if (this.startedAt !== 0) latency.record(millisecondsSince(this.startedAt));
    if (!sizes) return;
    record(requestBytes, "request.total_size");
    record(responseBytes, "response.total_size");
  }
}

function tagValue(tag: i32): string {
  if (tag === Tag.Route) return routeName();
  if (tag === Tag.Status) return statusClass(stream_context.headers.response.get(":status"));
  return get_property_string("connection.uri_san_peer_certificate");
}

/** The name of the route, or of its virtual host when the route has no name. */
function routeName(): string {
  const route = get_property_string("xds.route_name");
  return route !== "" ? route : get_property_string("xds.virtual_host_name");
}

/** "2xx"; "none" when there was no response. */
function statusClass(status: string): string {
  return status.length === 3 ? `${status.charAt(0)}xx` : "none";
}

/** Returns 0 when the wall clock was set back. */
function millisecondsSince(start: u64): u64 {
  const now = get_current_time_nanoseconds();
  return now > start ? (now - start) / 1000000 : 0;
}

function record(histogram: Histogram, property: string): void {
  const bytes = get_property_integer(property);
  if (bytes >= 0) histogram.record(bytes);
}

registerRootContext((context_id: u32) => new TelemetryRoot(context_id), "request-telemetry");
