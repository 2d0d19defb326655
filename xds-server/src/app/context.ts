import type { Logger } from "pino";
import type { Metrics } from "../telemetry/metrics.ts";
import type { AppConfig } from "./config.ts";
import type { Limits } from "./limits.ts";

/** The context of each step of the start-up. */
export interface AppContext {
  readonly config: AppConfig;
  /** The configured limits, with the defaults for all others. */
  readonly limits: Limits;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Registers a function that closes a part when the server closes. The last one registered runs first. */
  readonly onClose: (close: () => unknown) => void;
}
