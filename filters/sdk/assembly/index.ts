export { isPrintable, isWord, lowerCase, upperCase } from "./ascii";
export { BaseContext, proxy_set_effective_context } from "./base-context";
export {
  append_buffer_bytes,
  BufferStatusResult,
  get_buffer_bytes,
  get_buffer_status,
  get_buffer_string,
  prepend_buffer_bytes,
  replace_buffer_bytes,
  set_buffer_bytes,
} from "./buffers";
export { get_current_time_nanoseconds, get_monotonic_time_nanoseconds, set_tick_period_milliseconds } from "./clock";
export { acceptedConfiguration, readRuleName } from "./configuration";
export { Context, RootContext } from "./context";
export { get_random_u64, getEnv } from "./environment";
export {
  call_foreign_function,
  clear_route_cache,
  DnsAddress,
  dnsAddresses,
  ForeignResult,
  foreign_function,
  resolve_dns,
} from "./foreign-functions";
export { GrpcHandler } from "./grpc";
export { HeaderPair, Headers, makeHeaderPair } from "./header-pairs";
export { HeaderCursor, HeaderStreamManipulator } from "./headers";
export { HttpCallback, HttpHandler } from "./http-calls";
export { parseJson } from "./json";
export { JsonReader } from "./json-reader";
export { JsonKind, JsonValue } from "./json-value";
export { get_status, log, log_enabled, logLevel, StatusWithData } from "./log";
export { MediaTypes, readMediaTypes } from "./media-types";
export { define_metric, get_metric, increment_metric, MetricData, MetricResult, record_metric } from "./metric-calls";
export { Counter, Gauge, Histogram } from "./metrics";
export { get_property, get_property_integer, get_property_string, set_property } from "./properties";
export { registerRootContext } from "./registry";
export { Rejection } from "./rejection";
export {
  HeaderCondition,
  RequestMatch,
  readHeaderConditions,
  readMethods,
  readPath,
  readRequestMatch,
} from "./request-match";
export { sha256, sha256At } from "./sha256";
export { GetSharedData, get_shared_data, NEW_KEY, set_shared_data } from "./shared-data";
export {
  DequeueSharedQueueResult,
  dequeue_shared_queue,
  enqueue_shared_queue,
  register_shared_queue,
  resolve_shared_queue,
  TokenSharedQueueResult,
} from "./shared-queues";
export {
  close_stream,
  continue_downstream,
  continue_request,
  continue_response,
  send_http_response,
  send_local_response,
} from "./stream";
export { grpc_metadata, stream_context } from "./stream-context";
export {
  BufferTypeValues,
  FilterDataStatusValues,
  FilterHeadersStatusValues,
  FilterMetadataStatusValues,
  FilterStatusValues,
  FilterTrailersStatusValues,
  GrpcStatusValues,
  HeaderMapTypeValues,
  LogLevelValues,
  MetricTypeValues,
  PeerTypeValues,
  StreamTypeValues,
  WasmResultValues,
} from "./values";
