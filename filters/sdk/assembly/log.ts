import { proxy_get_log_level, proxy_log } from "./env";
import { OUT } from "./memory";
import { encode, encodedSize } from "./text";
import { LogLevelValues, WasmResultValues } from "./values";

let lowest: u32 = LogLevelValues.trace;

/** Reads the proxy's log level again; the contexts do so when a filter is configured. */
export function refresh_log_level(): void {
  if (proxy_get_log_level(OUT) === WasmResultValues.Ok) lowest = load<u32>(OUT);
}

/** Whether a message of this level would be written: ask before building one. */
export function log_enabled(level: LogLevelValues): bool {
  return <u32>level >= lowest;
}

export function log(level: LogLevelValues, logMessage: string): void {
  if (!log_enabled(level)) return;
  const message = encode(logMessage);
  proxy_log(level, message, encodedSize);
}
