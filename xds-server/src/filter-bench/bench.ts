import { findEnvoy } from "../envoy/find-envoy.ts";
import { startEnvoy } from "../envoy/start-envoy.ts";
import { bootstrapOf } from "./bootstrap.ts";
import { cpuMicroseconds } from "./cpu-time.ts";
import { type LoadResult, load } from "./load.ts";

export interface BenchOptions {
  readonly name: string;
  /** The module's file. */
  readonly wasmPath: string;
  /** The filter's configuration, any JSON. None when absent. */
  readonly config?: unknown;
  /** What each request asks for. */
  readonly path: string;
  /** "name: value", beside host, user-agent and accept. */
  readonly headers: readonly string[];
  /** How long each round lasts, in milliseconds. */
  readonly roundMs: number;
  readonly rounds: number;
}

/** Processor time of Envoy for each request, in microseconds. */
export interface BenchResult {
  readonly without: Spread;
  readonly with: Spread;
  /** What the filter adds: of the rounds, each held against the one before it without the filter. */
  readonly added: Spread;
  readonly requests: number;
  /** What the filter let Envoy answer, by status. */
  readonly statuses: Readonly<Record<string, number>>;
}

export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

const connections = 16;
const warmUpMs = 500;

/**
 * Measures what a filter costs: one Envoy with one worker, one listener with the filter and one without, rounds of load on them by turns, and
 * the processor time that Envoy used in each. That does not depend on how fast the load is made.
 */
export async function benchFilter(options: BenchOptions): Promise<BenchResult> {
  const envoy = await startEnvoy({
    envoy: (await findEnvoy()).path,
    bootstrap: bootstrapOf(options),
    args: ["--concurrency", "1"],
    logLevel: "critical",
  });
  try {
    const request = requestOf(options);
    const round = async (listener: string, durationMs = options.roundMs) => {
      const port = await envoy.listenerPort(listener);
      const before = await cpuMicroseconds(envoy.pid);
      const result = await load({ port, request, connections, durationMs });
      return { ...result, micros: ((await cpuMicroseconds(envoy.pid)) - before) / result.requests };
    };
    for (const listener of ["without", "with"]) await round(listener, warmUpMs);
    const without: number[] = [];
    const added: number[] = [];
    const loads: LoadResult[] = [];
    for (let count = 0; count < options.rounds; count++) {
      const plain = await round("without");
      const filtered = await round("with");
      without.push(plain.micros);
      added.push(filtered.micros - plain.micros);
      loads.push(filtered);
    }
    return {
      without: spread(without),
      with: spread(without.map((micros, index) => micros + (added[index] ?? 0))),
      added: spread(added),
      requests: loads.reduce((sum, { requests }) => sum + requests, 0),
      statuses: statusesOf(loads),
    };
  } finally {
    await envoy.stop();
  }
}

function requestOf({ path, headers }: BenchOptions): string {
  const usual = ["host: localhost", "user-agent: chancery-bench", "accept: */*"];
  return `GET ${path} HTTP/1.1\r\n${[...usual, ...headers].join("\r\n")}\r\n\r\n`;
}

function statusesOf(loads: readonly LoadResult[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const { statuses } of loads) for (const [status, count] of statuses) sums[status] = (sums[status] ?? 0) + count;
  return sums;
}

function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((one, other) => one - other);
  const at = (index: number): number => Number((sorted[index] ?? 0).toFixed(2));
  return { median: at(Math.floor(sorted.length / 2)), least: at(0), most: at(sorted.length - 1) };
}
