import { findEnvoy } from "../envoy/find-envoy.ts";
import { startEnvoy } from "../envoy/start-envoy.ts";
import { bootstrapOf, type FilteredListener, listenerName, type Side, sides } from "./bootstrap.ts";
import { cpuMicroseconds } from "./cpu-time.ts";
import { type LoadResult, load } from "./load.ts";

/** A filter and the request to measure it with. */
export interface BenchedFilter extends FilteredListener {
  readonly request: BenchRequest;
}

export interface BenchRequest {
  /** Absent: "GET", or "POST" when there is a body. */
  readonly method?: string;
  readonly path: string;
  /** Headers as "name: value". The bench adds host, user-agent, accept and content-length. */
  readonly headers: readonly string[];
}

export interface BenchRounds {
  /** The length of each round, in milliseconds. */
  readonly roundMs: number;
  readonly rounds: number;
}

/** Envoy's processor time for each request, in microseconds. */
export interface BenchResult {
  readonly without: Spread;
  readonly with: Spread;
  /** The cost of the filter: the difference of each round with it to the round before without it. */
  readonly added: Spread;
  readonly requests: number;
  /** The number of responses through the filter, by status. */
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
 * Measures the cost of filters. One Envoy with one worker has two listeners for each filter, one with it and one without. Rounds
 * of load on all listeners alternate, and Envoy's processor time is measured in each round. The result does not depend on the
 * rate of the load.
 */
export async function benchFilters(
  filters: readonly BenchedFilter[],
  { roundMs, rounds }: BenchRounds,
): Promise<readonly BenchResult[]> {
  const envoy = await startEnvoy({
    envoy: (await findEnvoy()).path,
    bootstrap: bootstrapOf(filters),
    args: ["--concurrency", "1"],
    logLevel: "critical",
  });
  try {
    const round = async (filter: BenchedFilter, side: Side, durationMs: number) => {
      const port = await envoy.listenerPort(listenerName(filter.name, side));
      const before = await cpuMicroseconds(envoy.pid);
      const result = await load({ port, request: requestOf(filter), connections, durationMs });
      return { ...result, micros: ((await cpuMicroseconds(envoy.pid)) - before) / result.requests };
    };
    const measured = filters.map((filter) => {
      return { filter, without: [] as number[], added: [] as number[], loads: [] as LoadResult[] };
    });
    for (const { filter } of measured) for (const side of sides) await round(filter, side, warmUpMs);
    for (let count = 0; count < rounds; count++) {
      for (const { filter, without, added, loads } of measured) {
        const plain = await round(filter, "without", roundMs);
        const filtered = await round(filter, "with", roundMs);
        without.push(plain.micros);
        added.push(filtered.micros - plain.micros);
        loads.push(filtered);
      }
    }
    return measured.map(({ without, added, loads }) => ({
      without: spread(without),
      with: spread(without.map((micros, index) => micros + (added[index] ?? 0))),
      added: spread(added),
      requests: loads.reduce((sum, { requests }) => sum + requests, 0),
      statuses: statusesOf(loads),
    }));
  } finally {
    await envoy.stop();
  }
}

function requestOf({ request, body }: BenchedFilter): string {
  const { method = body === undefined ? "GET" : "POST", path, headers } = request;
  const usual = ["host: localhost", "user-agent: chancery-bench", "accept: */*"];
  const length = body === undefined ? [] : [`content-length: ${Buffer.byteLength(body)}`];
  return `${method} ${path} HTTP/1.1\r\n${[...usual, ...headers, ...length].join("\r\n")}\r\n\r\n${body ?? ""}`;
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
