// The host calls of proxy-wasm ABI 0.2.1 in Envoy 1.40. The compiler imports a plain `declare` from the module that its
// file names, "env", and only when it is used. Every call returns a WasmResultValues.

export declare function proxy_log(level: u32, message: usize, messageSize: usize): u32;
export declare function proxy_get_log_level(level: usize): u32;
export declare function proxy_get_current_time_nanoseconds(nanoseconds: usize): u32;
export declare function proxy_set_tick_period_milliseconds(milliseconds: u32): u32;
export declare function proxy_get_status(code: usize, message: usize, messageSize: usize): u32;
export declare function proxy_set_effective_context(context: u32): u32;
export declare function proxy_done(): u32;

export declare function proxy_get_property(path: usize, pathSize: usize, value: usize, valueSize: usize): u32;
export declare function proxy_set_property(path: usize, pathSize: usize, value: usize, valueSize: usize): u32;

export declare function proxy_get_buffer_bytes(type: u32, start: u32, length: u32, data: usize, size: usize): u32;
export declare function proxy_get_buffer_status(type: u32, length: usize, flags: usize): u32;
export declare function proxy_set_buffer_bytes(type: u32, start: u32, length: u32, data: usize, size: usize): u32;

export declare function proxy_get_header_map_pairs(map: u32, pairs: usize, size: usize): u32;
export declare function proxy_set_header_map_pairs(map: u32, pairs: usize, size: usize): u32;
export declare function proxy_get_header_map_value(
  map: u32,
  name: usize,
  nameSize: usize,
  value: usize,
  valueSize: usize,
): u32;
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
export declare function proxy_get_header_map_size(map: u32, size: usize): u32;

export declare function proxy_continue_stream(stream: u32): u32;
export declare function proxy_close_stream(stream: u32): u32;
export declare function proxy_send_local_response(
  status: u32,
  details: usize,
  detailsSize: usize,
  body: usize,
  bodySize: usize,
  headers: usize,
  headersSize: usize,
  grpcStatus: i32,
): u32;

export declare function proxy_http_call(
  cluster: usize,
  clusterSize: usize,
  headers: usize,
  headersSize: usize,
  body: usize,
  bodySize: usize,
  trailers: usize,
  trailersSize: usize,
  timeoutMilliseconds: u32,
  token: usize,
): u32;

export declare function proxy_grpc_call(
  service: usize,
  serviceSize: usize,
  serviceName: usize,
  serviceNameSize: usize,
  method: usize,
  methodSize: usize,
  metadata: usize,
  metadataSize: usize,
  message: usize,
  messageSize: usize,
  timeoutMilliseconds: u32,
  token: usize,
): u32;
export declare function proxy_grpc_stream(
  service: usize,
  serviceSize: usize,
  serviceName: usize,
  serviceNameSize: usize,
  method: usize,
  methodSize: usize,
  metadata: usize,
  metadataSize: usize,
  token: usize,
): u32;
export declare function proxy_grpc_send(token: u32, message: usize, messageSize: usize, endOfStream: u32): u32;
export declare function proxy_grpc_cancel(token: u32): u32;
export declare function proxy_grpc_close(token: u32): u32;

export declare function proxy_get_shared_data(
  key: usize,
  keySize: usize,
  value: usize,
  valueSize: usize,
  cas: usize,
): u32;
export declare function proxy_set_shared_data(
  key: usize,
  keySize: usize,
  value: usize,
  valueSize: usize,
  cas: u32,
): u32;

export declare function proxy_register_shared_queue(name: usize, nameSize: usize, token: usize): u32;
export declare function proxy_resolve_shared_queue(
  vmId: usize,
  vmIdSize: usize,
  name: usize,
  nameSize: usize,
  token: usize,
): u32;
export declare function proxy_dequeue_shared_queue(token: u32, data: usize, size: usize): u32;
export declare function proxy_enqueue_shared_queue(token: u32, data: usize, size: usize): u32;

export declare function proxy_define_metric(type: u32, name: usize, nameSize: usize, id: usize): u32;
export declare function proxy_increment_metric(id: u32, offset: i64): u32;
export declare function proxy_record_metric(id: u32, value: u64): u32;
export declare function proxy_get_metric(id: u32, value: usize): u32;

export declare function proxy_call_foreign_function(
  name: usize,
  nameSize: usize,
  argument: usize,
  argumentSize: usize,
  result: usize,
  resultSize: usize,
): u32;
export declare function envoy_resolve_dns(address: usize, addressSize: usize, token: usize): u32;
