import { proxy_define_metric, proxy_get_metric, proxy_increment_metric, proxy_record_metric } from "./env";
import { OUT } from "./memory";
import { encode, encodedSize } from "./text";
import { MetricTypeValues, WasmResultValues } from "./values";

@final
export class MetricResult {
  result: WasmResultValues = WasmResultValues.Ok;
  metric_id: u32 = 0;
}

@final
export class MetricData {
  result: WasmResultValues = WasmResultValues.Ok;
  data: u64 = 0;
}

/** Defines a metric with exactly this name. A second definition returns another id for the same metric. */
export function define_metric(type: MetricTypeValues, name: string): MetricResult {
  const answer = new MetricResult();
  const bytes = encode(name);
  answer.result = proxy_define_metric(type, bytes, encodedSize, OUT);
  if (answer.result === WasmResultValues.Ok) answer.metric_id = load<u32>(OUT);
  return answer;
}

/** Counters only go up. Histograms cannot be incremented. */
export function increment_metric(metric_id: u32, offset: i64): WasmResultValues {
  return proxy_increment_metric(metric_id, offset);
}

/** Adds to a counter, sets a gauge, or adds one value to a histogram. */
export function record_metric(metric_id: u32, value: u64): WasmResultValues {
  return proxy_record_metric(metric_id, value);
}

/** Reads the value of a counter or gauge. A histogram cannot be read. */
export function get_metric(metric_id: u32): MetricData {
  const answer = new MetricData();
  answer.result = proxy_get_metric(metric_id, OUT);
  if (answer.result === WasmResultValues.Ok) answer.data = load<u64>(OUT);
  return answer;
}
