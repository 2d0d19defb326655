import {
  buildProbe,
  decodeReport,
  encodeScript,
  type Operation,
  pairsIn,
  type Recorded,
  type Script,
} from "@chancery/filter-testing/probe";
import { type Parity, type Received, startParity } from "./envoy.ts";
import { type Played, startParityHost } from "./host.ts";
import { type Case, randomCase } from "./scripts.ts";

/** A difference between Envoy and the host in one case. */
export interface Difference {
  readonly parityCase: Case;
  /** "client", "upstream", "callbacks", or the callback and the host call in it. */
  readonly about: string;
  readonly envoy: unknown;
  readonly host: unknown;
}

export interface ParityReport {
  /** The number of cases that were not sent to Envoy, because it leaves their effect undefined. */
  readonly undefinedCases: number;
  /** The numbers of compared callbacks, and of compared host calls in them. */
  readonly callbacks: number;
  readonly calls: number;
  /** The number of cases that only differed until they were played alone: two of Envoy's sockets had raced. */
  readonly races: number;
  readonly differences: readonly Difference[];
}

/** How fast cases are played: many at once, or one by one with time between what must not race. */
interface Pace {
  readonly atOnce: number;
  readonly waitMs: number;
  readonly processedMs: number;
}

const fast: Pace = { atOnce: 64, waitMs: 1500, processedMs: 20 };
const slow: Pace = { atOnce: 1, waitMs: 3000, processedMs: 250 };
/** For cases that are all answered. */
export const patient: Pace = { atOnce: 64, waitMs: 30_000, processedMs: 0 };
/** For cases whose answers depend on the cases before. */
export const inOrder: Pace = { ...patient, atOnce: 1 };
/** The number of cases before a report. Envoy holds the body of the report, so it must not be too large. */
const batchSize = 500;

/** Plays random cases through the probe in the host and in an Envoy, and compares what client, upstream and probe saw. */
export async function compareProbe(seed: number, count: number): Promise<ParityReport> {
  const cases = Array.from({ length: count }, (_, index) => randomCase(seed, index + 1));
  const wasm = await buildProbe();
  const first = await compare(wasm, cases, fast);
  const differing = [...new Set(first.differences.map(({ parityCase }) => parityCase))];
  const second = differing.length === 0 ? first : await compare(wasm, differing, slow);
  const stillDiffering = new Set(second.differences.map(({ parityCase }) => parityCase));
  return { ...first, races: differing.length - stillDiffering.size, differences: second.differences };
}

type Compared = Omit<ParityReport, "races">;

async function compare(wasm: Uint8Array, cases: readonly Case[], pace: Pace): Promise<Compared> {
  const host = await startParityHost(wasm, "probe", "");
  const parity = await startParity(wasm, "probe", "");
  const total = { undefinedCases: 0, callbacks: 0, calls: 0, differences: [] as Difference[] };
  try {
    for (let from = 0; from < cases.length; from += batchSize) {
      const batch = cases.slice(from, from + batchSize).map((parityCase) => {
        return { parityCase, byHost: host.play(parityCase, headersOf(parityCase)) };
      });
      const defined = batch.filter(({ byHost }) => byHost.faults.length === 0);
      total.undefinedCases += batch.length - defined.length;
      const inEnvoy = await playAll(parity, defined, pace);
      const hostRecords = decodeReport((await host.host.request({ headers: reportHeader })).bodyBytes);
      const envoyRecords = decodeReport(await reported(parity));
      for (const { parityCase, byHost } of defined) {
        const { id, script } = parityCase;
        const recorded = envoyRecords.get(id) ?? [];
        total.callbacks += recorded.length;
        total.calls += recorded.reduce((sum, { outcomes }) => sum + outcomes.length, 0);
        const differ: Differ = (about, envoy, ours) => {
          if (JSON.stringify(envoy) === JSON.stringify(ours)) return;
          total.differences.push({ parityCase, about, envoy, host: ours });
        };
        differRecords(script, recorded, hostRecords.get(id) ?? [], differ);
        differ("client", seen(inEnvoy.get(id)), seen(byHost.client));
        differ("upstream", seen(parity.upstreamOf(id)), byHost.upstream?.complete ? seen(byHost.upstream) : undefined);
      }
    }
  } finally {
    await parity.stop();
  }
  return total;
}

/** Plays cases in Envoy. Returns what the client received, by the number of the case. */
export async function playAll(
  parity: Parity,
  cases: readonly { readonly parityCase: Case; readonly byHost: Played }[],
  { atOnce, waitMs, processedMs }: Pace,
): Promise<ReadonlyMap<number, Received | undefined>> {
  const got = new Map<number, Received | undefined>();
  const waiting = [...cases];
  const client = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const { parityCase, byHost } = next;
      const { responseFirst } = byHost;
      const headers = headersOf(parityCase);
      got.set(parityCase.id, await parity.play(parityCase, { headers, responseFirst, waitMs, processedMs }));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, client));
  return got;
}

const reportHeader = [["x-report", "1"]] as const;

/** Reads the probe's report. Throws when there is none because Envoy's VM trapped. */
async function reported(parity: Parity): Promise<Uint8Array> {
  const none = { headers: [], chunks: [], trailers: undefined };
  const answer = { ...none, status: 200 };
  const got = await parity.play(
    { id: 0, script: {}, request: none, response: answer, callAnswer: answer },
    { headers: [...pseudoHeaders, ...reportHeader], responseFirst: false, waitMs: 20_000, processedMs: 0 },
  );
  const status = got?.headers.find(([name]) => name === ":status")?.[1];
  if (status !== "200") throw new Error(`no report: ${parity.envoy.recentLog().join("\n")}`);
  return Buffer.from(got?.body ?? "", "latin1");
}

const pseudoHeaders = [
  [":authority", "localhost"],
  [":path", "/a?b=c"],
  [":method", "POST"],
  [":scheme", "http"],
] as const;

/** The headers of a case's request. Pseudo headers are added unless the case has its own. */
export function headersOf({ id, script, request }: Case): Case["request"]["headers"] {
  const own = request.headers.some(([name]) => name.startsWith(":"));
  const scripted = Object.keys(script).length === 0 ? [] : [["x-script", encodeScript(id, script)] as const];
  const identified = [["x-id", String(id)] as const, ...scripted];
  return own ? [...request.headers, ...identified] : [...pseudoHeaders, ...identified, ...request.headers];
}

type Differ = (about: string, envoy: unknown, host: unknown) => void;

/** Compares the callbacks, and the host calls in them when the callbacks are equal. */
function differRecords(script: Script, envoy: readonly Recorded[], host: readonly Recorded[], differ: Differ): void {
  const text = (records: readonly Recorded[]) =>
    records.map(({ callback, values }) => `${callback} ${values.join(" ")}`);
  const [left, right] = [text(envoy), text(host)];
  if (left.join() !== right.join()) {
    differ("callbacks", left, right);
    return;
  }
  const occurrences = new Map<string, number>();
  for (const [index, { callback, outcomes }] of envoy.entries()) {
    const occurrence = occurrences.get(callback) ?? 0;
    occurrences.set(callback, occurrence + 1);
    const operations = callback === "unknown" ? [] : (script[callback]?.[occurrence] ?? []).flatMap(withOutcomes);
    for (const [place, operation] of operations.entries()) {
      const ours = host[index]?.outcomes[place];
      differ(
        `${callback}: ${operation.join(" ")}`,
        comparable(operation, outcomes[place]),
        comparable(operation, ours),
      );
    }
  }
}

/** An operation, once for each of its outcomes. */
function withOutcomes(operation: Operation): readonly Operation[] {
  if (operation[0] === "answer") return [];
  return operation[0] === "getStatus" ? [operation, operation] : [operation];
}

/** An outcome without times. Pairs of a property are sorted, because Envoy gives them in any order. */
function comparable(operation: Operation, outcome: string | undefined): unknown {
  const pairs = pairsIn(outcome ?? "").map(([name, value]) => [name, times.has(name) ? "a time" : value]);
  if (pairs.length === 0) return outcome;
  return operation[0] === "getProperty" ? pairs.map((pair) => pair.join(": ")).sort() : pairs;
}

const times = new Set(["date", "x-envoy-upstream-service-time", "retry-after", "ratelimit"]);

/** The part of a received message that is compared. */
export function seen(got: Received | undefined): unknown {
  if (got === undefined) return undefined;
  // How much of a cut off response has arrived varies.
  if (!got.complete) return "cut off";
  return { ...got, headers: got.headers.filter(([name]) => !times.has(name)) };
}
