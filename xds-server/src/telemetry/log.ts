import { type DestinationStream, destination, type Logger, pino } from "pino";

export interface LogOptions {
  /** trace, debug, info, warn, error, fatal or silent. */
  readonly level: string;
  /** The destination of the lines. Standard error when absent, because standard output is for the command's own output. */
  readonly to?: DestinationStream;
}

export const logLevels: readonly string[] = ["trace", "debug", "info", "warn", "error", "fatal", "silent"];

/** Creates a log of JSON lines. Secret fields are redacted at the top level and two levels below it. */
export function createLog({ level, to = destination({ dest: 2, sync: true }) }: LogOptions): Logger {
  return pino({ level, base: null, redact: { paths: redacted, censor: "[redacted]" } }, to);
}

const secretFields = ["token", "adminToken", "authorization", "password", "privateKey", "private_key", "inlineString"];

const redacted: string[] = secretFields.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]);
