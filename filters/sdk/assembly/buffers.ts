import { proxy_get_buffer_bytes, proxy_get_buffer_status, proxy_set_buffer_bytes } from "./env";
import { answered, OUT } from "./memory";
import { decode } from "./text";
import { BufferTypeValues, WasmResultValues } from "./values";

/**
 * Reads bytes of a body or of the configuration. Returns fewer when the buffer ends, none when it cannot be read now.
 */
export function get_buffer_bytes(type: BufferTypeValues, start: u32, length: u32): ArrayBuffer {
  const result = proxy_get_buffer_bytes(type, start, length, OUT, OUT + 4);
  return result === WasmResultValues.Ok ? answered() : new ArrayBuffer(0);
}

/** Like `get_buffer_bytes`, but returns text. */
export function get_buffer_string(type: BufferTypeValues, start: u32, length: u32): string {
  const result = proxy_get_buffer_bytes(type, start, length, OUT, OUT + 4);
  return result === WasmResultValues.Ok ? decode(load<usize>(OUT), load<usize>(OUT, 4)) : "";
}

/** Replaces `length` bytes at the start of a body; a `start` at or beyond its end appends. */
export function set_buffer_bytes(type: BufferTypeValues, start: u32, length: u32, data: ArrayBuffer): WasmResultValues {
  return proxy_set_buffer_bytes(type, start, length, changetype<usize>(data), data.byteLength);
}

/** Adds bytes at the start of a body. */
export function prepend_buffer_bytes(type: BufferTypeValues, data: ArrayBuffer): WasmResultValues {
  return set_buffer_bytes(type, 0, 0, data);
}

/** Adds bytes at the end of a body. */
export function append_buffer_bytes(type: BufferTypeValues, data: ArrayBuffer): WasmResultValues {
  return set_buffer_bytes(type, u32.MAX_VALUE, 0, data);
}

/** Replaces the whole body by these bytes. */
export function replace_buffer_bytes(type: BufferTypeValues, data: ArrayBuffer): WasmResultValues {
  return set_buffer_bytes(type, 0, u32.MAX_VALUE, data);
}

@final
export class BufferStatusResult {
  result: WasmResultValues = WasmResultValues.Ok;
  /** In bytes. */
  length: usize = 0;
  /** Always 0 in Envoy. */
  flags: u32 = 0;
}

/** Reads the length of a buffer. */
export function get_buffer_status(type: BufferTypeValues): BufferStatusResult {
  const status = new BufferStatusResult();
  status.result = proxy_get_buffer_status(type, OUT, OUT + 4);
  if (status.result !== WasmResultValues.Ok) return status;
  status.length = load<usize>(OUT);
  status.flags = load<u32>(OUT, 4);
  return status;
}
