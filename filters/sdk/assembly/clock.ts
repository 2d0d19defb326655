import { proxy_get_current_time_nanoseconds, proxy_set_tick_period_milliseconds } from "./env";
import { OUT } from "./memory";
import { WasmResultValues } from "./values";
import { clock_time_get } from "./wasi_snapshot_preview1";

/** The wall clock, since 1970. It can be set back: measure durations with `get_monotonic_time_nanoseconds`. */
export function get_current_time_nanoseconds(): u64 {
  return proxy_get_current_time_nanoseconds(OUT) === WasmResultValues.Ok ? load<u64>(OUT) : 0;
}

const MONOTONIC: u32 = 1;

/** A clock that never goes back. It counts from an unspecified time in the past. */
export function get_monotonic_time_nanoseconds(): u64 {
  return clock_time_get(MONOTONIC, 0, OUT) === 0 ? load<u64>(OUT) : 0;
}

/** Makes the proxy call this root's `onTick` with this period, in each VM separately. 0 stops it. */
export function set_tick_period_milliseconds(milliseconds: u32): WasmResultValues {
  return proxy_set_tick_period_milliseconds(milliseconds);
}
