// The callbacks that the proxy calls. The build keeps only those whose method a filter overrides, because each exported
// callback costs a call into the VM for every stream.

import { allocate, enter, leave } from "./memory";
import { contextOf, createRoot, createStream, forget, rootOf, streamOf } from "./registry";

/** Larger blocks are not allocated: the host call fails, and the VM's memory is not exhausted. */
const LARGEST_BLOCK: usize = 8 << 20;

export function proxy_abi_version_0_2_1(): void {}

export function proxy_on_memory_allocate(size: usize): usize {
  return size > LARGEST_BLOCK ? 0 : allocate(size);
}

export function proxy_on_context_create(context_id: u32, parent_id: u32): void {
  enter();
  if (parent_id === 0) createRoot(context_id);
  else createStream(context_id, parent_id);
  leave();
}

export function proxy_on_vm_start(context_id: u32, size: u32): u32 {
  enter();
  const ok = rootOf(context_id).onStart(size);
  leave();
  return ok ? 1 : 0;
}

export function proxy_validate_configuration(context_id: u32, size: u32): u32 {
  enter();
  const ok = rootOf(context_id).validateConfiguration(size);
  leave();
  return ok ? 1 : 0;
}

export function proxy_on_configure(context_id: u32, size: u32): u32 {
  enter();
  const ok = rootOf(context_id).configure(size);
  leave();
  return ok ? 1 : 0;
}

export function proxy_on_tick(context_id: u32): void {
  enter();
  rootOf(context_id).onTick();
  leave();
}

export function proxy_on_queue_ready(context_id: u32, token: u32): void {
  enter();
  rootOf(context_id).onQueueReady(token);
  leave();
}

export function envoy_on_resolve_dns(context_id: u32, token: u32, size: u32): void {
  enter();
  rootOf(context_id).onResolveDns(token, size);
  leave();
}

export function proxy_on_http_call_response(context_id: u32, token: u32, headers: u32, size: u32, trailers: u32): void {
  enter();
  rootOf(context_id).onHttpCallResponse(token, headers, size, trailers);
  leave();
}

export function proxy_on_grpc_receive_initial_metadata(context_id: u32, token: u32, headers: u32): void {
  enter();
  rootOf(context_id).on_grpc_receive_initial_metadata(token, headers);
  leave();
}

export function proxy_on_grpc_receive(context_id: u32, token: u32, size: u32): void {
  enter();
  rootOf(context_id).on_grpc_receive(token, size);
  leave();
}

export function proxy_on_grpc_receive_trailing_metadata(context_id: u32, token: u32, trailers: u32): void {
  enter();
  rootOf(context_id).on_grpc_trailing_metadata(token, trailers);
  leave();
}

export function proxy_on_grpc_close(context_id: u32, token: u32, status: u32): void {
  enter();
  rootOf(context_id).on_grpc_close(token, status);
  leave();
}

export function proxy_on_new_connection(context_id: u32): u32 {
  enter();
  const status = streamOf(context_id).onNewConnection();
  leave();
  return status;
}

export function proxy_on_downstream_data(context_id: u32, size: u32, end: u32): u32 {
  enter();
  const status = streamOf(context_id).onDownstreamData(size, end !== 0);
  leave();
  return status;
}

export function proxy_on_upstream_data(context_id: u32, size: u32, end: u32): u32 {
  enter();
  const status = streamOf(context_id).onUpstreamData(size, end !== 0);
  leave();
  return status;
}

export function proxy_on_downstream_connection_close(context_id: u32, peer: u32): void {
  enter();
  streamOf(context_id).onDownstreamConnectionClose(peer);
  leave();
}

export function proxy_on_upstream_connection_close(context_id: u32, peer: u32): void {
  enter();
  streamOf(context_id).onUpstreamConnectionClose(peer);
  leave();
}

export function proxy_on_request_headers(context_id: u32, count: u32, end: u32): u32 {
  enter();
  const status = streamOf(context_id).onRequestHeaders(count, end !== 0);
  leave();
  return status;
}

export function proxy_on_request_metadata(context_id: u32, count: u32): u32 {
  enter();
  const status = streamOf(context_id).onRequestMetadata(count);
  leave();
  return status;
}

export function proxy_on_request_body(context_id: u32, size: u32, end: u32): u32 {
  enter();
  const status = streamOf(context_id).onRequestBody(size, end !== 0);
  leave();
  return status;
}

export function proxy_on_request_trailers(context_id: u32, count: u32): u32 {
  enter();
  const status = streamOf(context_id).onRequestTrailers(count);
  leave();
  return status;
}

export function proxy_on_response_headers(context_id: u32, count: u32, end: u32): u32 {
  enter();
  const status = streamOf(context_id).onResponseHeaders(count, end !== 0);
  leave();
  return status;
}

export function proxy_on_response_metadata(context_id: u32, count: u32): u32 {
  enter();
  const status = streamOf(context_id).onResponseMetadata(count);
  leave();
  return status;
}

export function proxy_on_response_body(context_id: u32, size: u32, end: u32): u32 {
  enter();
  const status = streamOf(context_id).onResponseBody(size, end !== 0);
  leave();
  return status;
}

export function proxy_on_response_trailers(context_id: u32, count: u32): u32 {
  enter();
  const status = streamOf(context_id).onResponseTrailers(count);
  leave();
  return status;
}

export function proxy_on_log(context_id: u32): void {
  enter();
  streamOf(context_id).onLog();
  leave();
}

export function proxy_on_done(context_id: u32): u32 {
  enter();
  const context = contextOf(context_id);
  const done = context === null || context.onDone();
  leave();
  return done ? 1 : 0;
}

export function proxy_on_delete(context_id: u32): void {
  enter();
  const context = contextOf(context_id);
  if (context !== null) {
    context.onDelete();
    forget(context_id);
  }
  leave();
}
