import { proxy_get_buffer_bytes, proxy_get_buffer_status, proxy_set_buffer_bytes } from "./env";
import { answered, OUT } from "./memory";
import { decode } from "./text";
import { BufferTypeValues, WasmResultValues } from "./values";

/** Bytes of a body, or of the configuration; fewer than asked for where the buffer ends, none when it cannot be read now. */
export function get_buffer_bytes(type: BufferTypeValues, start: u32, length: u32): ArrayBuffer {
  const result = proxy_get_buffer_bytes(type, start, length, OUT, OUT + 4);
  return result === WasmResultValues.Ok ? answered() : new ArrayBuffer(0);
}

/** The same as text. */
export function get_buffer_string(type: BufferTypeValues, start: u32, length: u32): string {
  const result = proxy_get_buffer_bytes(type, start, length, OUT, OUT + 4);
  return result === WasmResultValues.Ok ? decode(load<usize>(OUT), load<usize>(OUT, 4)) : "";
}

/** Replaces `length` bytes at the start of a body; a `start` at or beyond its end appends. */
export function set_buffer_bytes(type: BufferTypeValues, start: u32, length: u32, data: ArrayBuffer): WasmResultValues {
  return proxy_set_buffer_bytes(type, start, length, changetype<usize>(data), data.byteLength);
}

/** Puts bytes before what a body holds. */
export function prepend_buffer_bytes(type: BufferTypeValues, data: ArrayBuffer): WasmResultValues {
  return set_buffer_bytes(type, 0, 0, data);
}

/** Puts bytes after what a body holds. */
export function append_buffer_bytes(type: BufferTypeValues, data: ArrayBuffer): WasmResultValues {
  return set_buffer_bytes(type, u32.MAX_VALUE, 0, data);
}

/** Puts bytes in the place of all that a body holds. */
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

/** How much a buffer holds. */
export function get_buffer_status(type: BufferTypeValues): BufferStatusResult {
  const status = new BufferStatusResult();
  status.result = proxy_get_buffer_status(type, OUT, OUT + 4);
  if (status.result !== WasmResultValues.Ok) return status;
  status.length = load<usize>(OUT);
  status.flags = load<u32>(OUT, 4);
  return status;
}
