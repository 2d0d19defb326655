import { renameSync, writeFileSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";

/**
 * Preloaded into a server. Measures the delay of its event loop with a timer of 10 ms. SIGUSR1 resets the measurement.
 * SIGUSR2 writes the delay since then into the file that CHANCERY_LOOP_DELAY names.
 */
const file = process.env["CHANCERY_LOOP_DELAY"];
if (file !== undefined && process.argv.includes("serve")) {
  const delay = monitorEventLoopDelay();
  delay.enable();
  process.on("SIGUSR1", () => delay.reset());
  process.on("SIGUSR2", () => {
    const seen: LoopDelay = { samples: delay.count, p99: delay.percentile(99) / 1e6, max: delay.max / 1e6 };
    writeFileSync(`${file}.new`, JSON.stringify(seen));
    renameSync(`${file}.new`, file);
  });
}

/** In milliseconds. */
export interface LoopDelay {
  readonly samples: number;
  readonly p99: number;
  readonly max: number;
}
