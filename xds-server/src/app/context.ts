import type { Logger } from "pino";
import type { Metrics } from "../telemetry/metrics.ts";
import type { AppConfig } from "./config.ts";
import type { Limits } from "./limits.ts";

/** What every step of the start-up gets. */
export interface AppContext {
  readonly config: AppConfig;
  /** The configured limits, with the defaults for all others. */
  readonly limits: Limits;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Closes something with the server. The last opened is closed first. */
  readonly onClose: (close: () => unknown) => void;
}
