// The host calls of proxy-wasm ABI 0.2.1. This module tests hosts, so it calls them without a library.

export declare function proxy_get_header_map_value(
  map: u32,
  name: usize,
  nameSize: usize,
  out: usize,
  outSize: usize,
): u32;
export declare function proxy_get_header_map_pairs(map: u32, out: usize, outSize: usize): u32;
export declare function proxy_get_header_map_size(map: u32, out: usize): u32;
export declare function proxy_add_header_map_value(
  map: u32,
  name: usize,
  nameSize: usize,
  value: usize,
  valueSize: usize,
): u32;
export declare function proxy_replace_header_map_value(
  map: u32,
  name: usize,
  nameSize: usize,
  value: usize,
  valueSize: usize,
): u32;
export declare function proxy_remove_header_map_value(map: u32, name: usize, nameSize: usize): u32;
export declare function proxy_set_header_map_pairs(map: u32, pairs: usize, size: usize): u32;
export declare function proxy_get_buffer_bytes(type: u32, start: u32, length: u32, out: usize, outSize: usize): u32;
export declare function proxy_get_buffer_status(type: u32, outLength: usize, outFlags: usize): u32;
export declare function proxy_set_buffer_bytes(type: u32, start: u32, length: u32, data: usize, size: usize): u32;
export declare function proxy_continue_stream(stream: u32): u32;
export declare function proxy_close_stream(stream: u32): u32;
export declare function proxy_send_local_response(
  code: u32,
  details: usize,
  detailsSize: usize,
  body: usize,
  bodySize: usize,
  headers: usize,
  headersSize: usize,
  grpcStatus: i32,
): u32;
export declare function proxy_get_property(path: usize, pathSize: usize, out: usize, outSize: usize): u32;
export declare function proxy_set_property(path: usize, pathSize: usize, value: usize, valueSize: usize): u32;
export declare function proxy_define_metric(type: u32, name: usize, nameSize: usize, out: usize): u32;
export declare function proxy_increment_metric(id: u32, offset: i64): u32;
export declare function proxy_record_metric(id: u32, value: u64): u32;
export declare function proxy_get_metric(id: u32, out: usize): u32;
export declare function proxy_get_shared_data(
  key: usize,
  keySize: usize,
  out: usize,
  outSize: usize,
  outCas: usize,
): u32;
export declare function proxy_set_shared_data(
  key: usize,
  keySize: usize,
  value: usize,
  valueSize: usize,
  cas: u32,
): u32;
export declare function proxy_register_shared_queue(name: usize, nameSize: usize, out: usize): u32;
export declare function proxy_resolve_shared_queue(
  vm: usize,
  vmSize: usize,
  name: usize,
  nameSize: usize,
  out: usize,
): u32;
export declare function proxy_enqueue_shared_queue(token: u32, data: usize, size: usize): u32;
export declare function proxy_dequeue_shared_queue(token: u32, out: usize, outSize: usize): u32;
export declare function proxy_http_call(
  cluster: usize,
  clusterSize: usize,
  headers: usize,
  headersSize: usize,
  body: usize,
  bodySize: usize,
  trailers: usize,
  trailersSize: usize,
  timeoutMs: u32,
  out: usize,
): u32;
export declare function proxy_grpc_call(
  service: usize,
  serviceSize: usize,
  name: usize,
  nameSize: usize,
  method: usize,
  methodSize: usize,
  metadata: usize,
  metadataSize: usize,
  message: usize,
  messageSize: usize,
  timeoutMs: u32,
  out: usize,
): u32;
export declare function proxy_call_foreign_function(
  name: usize,
  nameSize: usize,
  argument: usize,
  argumentSize: usize,
  out: usize,
  outSize: usize,
): u32;
export declare function proxy_get_status(outCode: usize, out: usize, outSize: usize): u32;
export declare function proxy_get_log_level(out: usize): u32;
export declare function proxy_set_effective_context(context: u32): u32;
export declare function proxy_set_tick_period_milliseconds(period: u32): u32;
export declare function proxy_log(level: u32, text: usize, size: usize): u32;
