// The callbacks that the proxy calls. The build keeps only those whose method a filter overrides: each exported one costs
// a crossing into the VM for every stream.

import { contextOf, createRoot, createStream, forget, rootOf, streamOf } from "./context";
import { allocate, enter, leave } from "./memory";

/** A larger block is refused, and the host call that wanted it fails, instead of the VM's memory being exhausted. */
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

export function proxy_on_configure(context_id: u32, size: u32): u32 {
  enter();
  const ok = rootOf(context_id).configure(size);
  leave();
  return ok ? 1 : 0;
}

export function proxy_on_request_headers(context_id: u32, count: u32, end: u32): u32 {
  enter();
  const status = streamOf(context_id).onRequestHeaders(count, end !== 0);
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
  const done = contextOf(context_id).onDone();
  leave();
  return done ? 1 : 0;
}

export function proxy_on_delete(context_id: u32): void {
  enter();
  contextOf(context_id).onDelete();
  forget(context_id);
  leave();
}
