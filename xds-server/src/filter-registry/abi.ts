/** The proxy-wasm ABI 0.2.1 in Envoy 1.40: the names and signatures ("i32 i32 -> i32") of its imports and exports. */

/** The functions that Envoy calls. A module exports those that it needs. */
export const callbacks: ReadonlyMap<string, string> = new Map([
  ...signatures("i32 ->", ["proxy_on_tick", "proxy_on_log", "proxy_on_delete"]),
  ...signatures("i32 -> i32", ["proxy_on_done", "proxy_on_new_connection", "malloc", "proxy_on_memory_allocate"]),
  ...signatures("i32 i32 ->", [
    "proxy_on_context_create",
    "proxy_on_queue_ready",
    "proxy_on_downstream_connection_close",
    "proxy_on_upstream_connection_close",
    "envoy_on_stats_update",
  ]),
  ...signatures("i32 i32 -> i32", [
    "proxy_on_vm_start",
    "proxy_on_configure",
    "proxy_validate_configuration",
    "proxy_on_request_trailers",
    "proxy_on_response_trailers",
    "proxy_on_request_metadata",
    "proxy_on_response_metadata",
  ]),
  ...signatures("i32 i32 i32 ->", [
    "proxy_on_grpc_receive_initial_metadata",
    "proxy_on_grpc_receive_trailing_metadata",
    "proxy_on_grpc_receive",
    "proxy_on_grpc_close",
    "proxy_on_foreign_function",
    "envoy_on_resolve_dns",
  ]),
  ...signatures("i32 i32 i32 -> i32", [
    "proxy_on_downstream_data",
    "proxy_on_upstream_data",
    "proxy_on_request_headers",
    "proxy_on_request_body",
    "proxy_on_response_headers",
    "proxy_on_response_body",
  ]),
  ...signatures("i32 i32 i32 i32 i32 ->", ["proxy_on_http_call_response"]),
  ...signatures("->", ["_initialize", "_start"]),
  // Envoy calls it after _initialize, when the module exports it.
  ...signatures("i32 i32 -> i32", ["main"]),
  ...signatures("-> i32", ["__main_void"]),
]);

/** The functions that a module may import from "env". */
export const hostCalls: ReadonlyMap<string, string> = new Map([
  ...signatures("-> i32", ["proxy_done"]),
  ...signatures("i32 -> i32", [
    "proxy_get_log_level",
    "proxy_set_tick_period_milliseconds",
    "proxy_get_current_time_nanoseconds",
    "proxy_continue_stream",
    "proxy_close_stream",
    "proxy_grpc_cancel",
    "proxy_grpc_close",
    "proxy_set_effective_context",
  ]),
  ...signatures("i32 i32 -> i32", ["proxy_get_header_map_size", "proxy_get_metric"]),
  ...signatures("i32 i64 -> i32", ["proxy_increment_metric", "proxy_record_metric"]),
  ...i32Calls(3, [
    "proxy_log",
    "proxy_get_status",
    "proxy_get_buffer_status",
    "proxy_get_header_map_pairs",
    "proxy_set_header_map_pairs",
    "proxy_remove_header_map_value",
    "proxy_register_shared_queue",
    "proxy_enqueue_shared_queue",
    "proxy_dequeue_shared_queue",
    "envoy_resolve_dns",
  ]),
  ...i32Calls(4, ["proxy_get_property", "proxy_set_property", "proxy_define_metric", "proxy_grpc_send"]),
  ...i32Calls(5, [
    "proxy_get_buffer_bytes",
    "proxy_set_buffer_bytes",
    "proxy_get_header_map_value",
    "proxy_add_header_map_value",
    "proxy_replace_header_map_value",
    "proxy_get_shared_data",
    "proxy_set_shared_data",
    "proxy_resolve_shared_queue",
  ]),
  ...i32Calls(6, ["proxy_call_foreign_function"]),
  ...i32Calls(8, ["proxy_send_local_response"]),
  ...i32Calls(9, ["proxy_grpc_stream"]),
  ...i32Calls(10, ["proxy_http_call"]),
  ...i32Calls(12, ["proxy_grpc_call"]),
]);

/**
 * The functions that a module may import from WASI, with Envoy's signatures: path_link and path_symlink lack an argument. Most
 * of them return an error in Envoy.
 */
export const wasiCalls: ReadonlyMap<string, string> = new Map([
  ...i32Calls(0, ["sched_yield"]),
  ...i32Calls(1, ["fd_close", "fd_datasync", "fd_sync"]),
  ...i32Calls(2, [
    "args_get",
    "args_sizes_get",
    "environ_get",
    "environ_sizes_get",
    "clock_res_get",
    "fd_fdstat_get",
    "fd_fdstat_set_flags",
    "fd_filestat_get",
    "fd_prestat_get",
    "fd_renumber",
    "fd_tell",
    "random_get",
    "sock_shutdown",
  ]),
  ...i32Calls(3, [
    "fd_prestat_dir_name",
    "path_create_directory",
    "path_remove_directory",
    "path_unlink_file",
    "sock_accept",
  ]),
  ...i32Calls(4, ["fd_read", "fd_write", "path_symlink", "poll_oneoff"]),
  ...i32Calls(5, ["path_filestat_get", "sock_send"]),
  ...i32Calls(6, ["path_link", "path_readlink", "path_rename", "sock_recv"]),
  ...signatures("i32 ->", ["proc_exit"]),
  ...signatures("i32 i64 -> i32", ["fd_filestat_set_size"]),
  ...signatures("i32 i64 i32 -> i32", ["clock_time_get"]),
  ...signatures("i32 i64 i32 i32 -> i32", ["fd_seek"]),
  ...signatures("i32 i64 i64 -> i32", ["fd_allocate", "fd_fdstat_set_rights"]),
  ...signatures("i32 i64 i64 i32 -> i32", ["fd_advise", "fd_filestat_set_times"]),
  ...signatures("i32 i32 i32 i64 i32 -> i32", ["fd_pread", "fd_pwrite", "fd_readdir"]),
  ...signatures("i32 i32 i32 i32 i64 i64 i32 -> i32", ["path_filestat_set_times"]),
  ...signatures("i32 i32 i32 i32 i32 i64 i64 i32 i32 -> i32", ["path_open"]),
]);

/** The modules that the calls are imported from. */
export const importModules: ReadonlyMap<string, ReadonlyMap<string, string>> = new Map([
  ["env", hostCalls],
  ["wasi_snapshot_preview1", wasiCalls],
  ["wasi_unstable", wasiCalls],
]);

/** Frequent imports that Envoy lacks (host calls of ABI 0.1.0, helpers of compilers), each with what to do instead. */
export const importHints: ReadonlyMap<string, string> = new Map([
  ["proxy_clear_route_cache", "call the foreign function clear_route_cache"],
  ["proxy_continue_request", "use proxy_continue_stream"],
  ["proxy_continue_response", "use proxy_continue_stream"],
  ["proxy_get_configuration", "use proxy_get_buffer_bytes"],
  ["abort", "AssemblyScript adds this import: build with `chancery filter build`, or with asc --use abort=FUNCTION"],
]);

/** The supported ABIs. Envoy also has 0.1.0, but with other signatures, and no current SDK builds for it. */
export const abiExports: readonly string[] = ["proxy_abi_version_0_2_0", "proxy_abi_version_0_2_1"];

function signatures(signature: string, names: readonly string[]): [string, string][] {
  return names.map((name) => [name, signature]);
}

/** Functions with `count` parameters of type i32 and a result of type i32. */
function i32Calls(count: number, names: readonly string[]): [string, string][] {
  return signatures([...Array<string>(count).fill("i32"), "-> i32"].join(" "), names);
}
