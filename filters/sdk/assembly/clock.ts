import { proxy_get_current_time_nanoseconds, proxy_set_tick_period_milliseconds } from "./env";
import { OUT } from "./memory";
import { WasmResultValues } from "./values";
import { clock_time_get } from "./wasi_snapshot_preview1";

/** Wall clock, since 1970. It may be set back: measure with `get_monotonic_time_nanoseconds`. */
export function get_current_time_nanoseconds(): u64 {
  return proxy_get_current_time_nanoseconds(OUT) === WasmResultValues.Ok ? load<u64>(OUT) : 0;
}

const MONOTONIC: u32 = 1;

/** A clock that never goes back, since some moment in the past. */
export function get_monotonic_time_nanoseconds(): u64 {
  return clock_time_get(MONOTONIC, 0, OUT) === 0 ? load<u64>(OUT) : 0;
}

/** From now on `onTick` of this root is called once in this time, in every VM of its own; 0 ends it. */
export function set_tick_period_milliseconds(milliseconds: u32): WasmResultValues {
  return proxy_set_tick_period_milliseconds(milliseconds);
}
