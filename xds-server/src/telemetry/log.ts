import { type DestinationStream, destination, type Logger, pino } from "pino";

export interface LogOptions {
  /** trace, debug, info, warn, error, fatal or silent. */
  readonly level: string;
  /** Where the lines go; standard error when absent, because standard output belongs to the command's own answer. */
  readonly to?: DestinationStream;
}

export const logLevels: readonly string[] = ["trace", "debug", "info", "warn", "error", "fatal", "silent"];

/** The one log: JSON lines with secrets replaced, however deep (two levels) a caller put them. */
export function createLog({ level, to = destination({ dest: 2, sync: true }) }: LogOptions): Logger {
  return pino({ level, base: null, redact: { paths: redacted, censor: "[redacted]" } }, to);
}

const secretFields = ["token", "adminToken", "authorization", "password", "privateKey", "private_key", "inlineString"];

const redacted: string[] = secretFields.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]);
