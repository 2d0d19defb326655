import {
  type Bootstrap,
  findEnvoy,
  type RunningEnvoy,
  type StartEnvoyOptions,
  startEnvoy,
} from "@chancery/xds-server/envoy";

export interface TestEnvoyOptions extends Pick<StartEnvoyOptions, "logLevel" | "waitFor"> {
  /** Worker threads. Absent: 1. */
  readonly workers?: number;
}

/** Starts this machine's Envoy. Without a log level it logs errors only. */
export async function startTestEnvoy(
  bootstrap: Bootstrap,
  { workers = 1, logLevel = "error", ...options }: TestEnvoyOptions = {},
): Promise<RunningEnvoy> {
  return startEnvoy({
    envoy: (await findEnvoy()).path,
    bootstrap,
    // Tests read access logs. By default Envoy writes them every ten seconds.
    args: ["--concurrency", String(workers), "--file-flush-interval-msec", "50"],
    logLevel,
    ...options,
  });
}
