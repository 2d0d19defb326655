export { BaseContext, Context, RootContext, registerRootContext } from "./context";
export { HeaderPair, Headers, stream_context } from "./headers";
export { parseJson } from "./json";
export { JsonKind, JsonValue } from "./json-value";
export { log, log_enabled } from "./log";
export { Counter, Gauge, Histogram } from "./metrics";
export {
  continue_request,
  continue_response,
  get_buffer_bytes,
  get_current_time_nanoseconds,
  get_property,
  get_property_string,
  send_local_response,
  set_buffer_bytes,
  set_property,
} from "./stream";
export {
  BufferTypeValues,
  FilterDataStatusValues,
  FilterHeadersStatusValues,
  FilterTrailersStatusValues,
  GrpcStatusValues,
  LogLevelValues,
  WasmResultValues,
} from "./values";
