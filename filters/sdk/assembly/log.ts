import { proxy_get_log_level, proxy_get_status, proxy_log } from "./env";
import { answered, OUT } from "./memory";
import { encode, encodedSize } from "./text";
import { LogLevelValues, WasmResultValues } from "./values";

let lowest: u32 = LogLevelValues.trace;

/** Reads the proxy's log level again. This happens each time that a filter is configured. */
export function refresh_log_level(): void {
  if (proxy_get_log_level(OUT) === WasmResultValues.Ok) lowest = load<u32>(OUT);
}

/** The proxy's log level at the time when the filter was configured. */
export function logLevel(): LogLevelValues {
  return lowest;
}

/** True when a message of this level is logged. Check it before you build a long message. */
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

/** Why the call of the running callback failed, for HTTP and gRPC calls: a gRPC status and its message. */
export function get_status(): StatusWithData {
  const answer = new StatusWithData();
  if (proxy_get_status(OUT, OUT + 4, OUT + 8) !== WasmResultValues.Ok) return answer;
  answer.status = load<u32>(OUT);
  store<u64>(OUT, load<u64>(OUT, 4));
  answer.data = answered();
  return answer;
}
