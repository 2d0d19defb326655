import { proxy_get_log_level, proxy_get_status, proxy_log } from "./env";
import { answered, OUT } from "./memory";
import { encode, encodedSize } from "./text";
import { LogLevelValues, WasmResultValues } from "./values";

let lowest: u32 = LogLevelValues.trace;

/** Reads the proxy's log level again; the contexts do so when a filter is configured. */
export function refresh_log_level(): void {
  if (proxy_get_log_level(OUT) === WasmResultValues.Ok) lowest = load<u32>(OUT);
}

/** The proxy's log level, as it was when the filter was configured. */
export function logLevel(): LogLevelValues {
  return lowest;
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

@final
export class StatusWithData {
  status: u32 = 0;
  data: ArrayBuffer = new ArrayBuffer(0);
}

/** Why the HTTP or gRPC call failed whose callback runs: a gRPC status and its message. */
export function get_status(): StatusWithData {
  const answer = new StatusWithData();
  if (proxy_get_status(OUT, OUT + 4, OUT + 8) !== WasmResultValues.Ok) return answer;
  answer.status = load<u32>(OUT);
  store<u64>(OUT, load<u64>(OUT, 4));
  answer.data = answered();
  return answer;
}
