import {
  Context,
  FilterHeadersStatusValues,
  GrpcStatusValues,
  get_current_time_nanoseconds,
  get_shared_data,
  RootContext,
  registerRootContext,
  send_local_response,
  set_shared_data,
  WasmResultValues,
} from "@chancery/filter-sdk";

const RATE: f64 = 1e9;
const BURST: f64 = 1e9;

class BucketRoot extends RootContext {
  override createContext(context_id: u32): Context {
    return new Bucket(context_id, this);
  }
}

class Bucket extends Context {
  override onRequestHeaders(_headers: u32, _end_of_stream: bool): FilterHeadersStatusValues {
    for (let attempt = 0; attempt < 10; attempt++) {
      const kept = get_shared_data("bucket");
      const now = get_current_time_nanoseconds();
      let tokens = BURST;
      let last = now;
      const value = kept.value;
      if (value !== null && value.byteLength === 16) {
        const view = new DataView(value);
        tokens = view.getFloat64(0, true);
        last = view.getUint64(8, true);
      }
      tokens = min(BURST, tokens + (<f64>(now - last) * RATE) / 1e9);
      if (tokens < 1) {
        send_local_response(429, "", String.UTF8.encode("limited"), [], GrpcStatusValues.InvalidCode);
        return FilterHeadersStatusValues.StopIteration;
      }
      const next = new DataView(new ArrayBuffer(16));
      next.setFloat64(0, tokens - 1, true);
      next.setUint64(8, now, true);
      if (set_shared_data("bucket", next.buffer, kept.cas) === WasmResultValues.Ok) break;
    }
    return FilterHeadersStatusValues.Continue;
  }
}

registerRootContext((context_id: u32) => new BucketRoot(context_id), "bucket");
