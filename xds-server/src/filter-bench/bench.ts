import { findEnvoy } from "../envoy/find-envoy.ts";
import { startEnvoy } from "../envoy/start-envoy.ts";
import { bootstrapOf, type FilteredListener, listenerName, type Side, sides } from "./bootstrap.ts";
import { cpuMicroseconds } from "./cpu-time.ts";
import { type LoadResult, load } from "./load.ts";

/** A filter and what is asked of it. */
export interface BenchedFilter extends FilteredListener {
  readonly request: BenchRequest;
}

export interface BenchRequest {
  /** "GET", or "POST" when there is a body, unless given. */
  readonly method?: string;
  readonly path: string;
  /** "name: value", beside host, user-agent, accept and content-length. */
  readonly headers: readonly string[];
}

export interface BenchRounds {
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
 * Measures what filters cost: one Envoy with one worker, for each filter a listener with it and one without, rounds of load on all of them by
 * turns, and the processor time that Envoy used in each. That does not depend on how fast the load is made.
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
