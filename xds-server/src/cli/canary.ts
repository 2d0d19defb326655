import { setTimeout as pause } from "node:timers/promises";
import type { WriteAnswer } from "../admin-api/writes.ts";
import type { Document } from "../model/document.ts";
import { durationMs } from "../model/fields.ts";
import type { FilterSpec } from "../model/filter.ts";
import { type Comparison, since, verdict } from "./canary-judge.ts";
import { readCanaryStats } from "./canary-stats.ts";
import type { AdminClient, Answer } from "./client.ts";
import { CommandFailure, exitCodes } from "./exit-codes.ts";
import { isFine, outcomesTable, sendWrite, type WriteOptions } from "./written.ts";

export interface CanaryPlan {
  readonly client: AdminClient;
  readonly name: string;
  /** The filter that runs now, with the ETag that it was read with. */
  readonly former: Answer<Document<"Filter">>;
  /** The spec that runs for all requests when the canary succeeds. */
  readonly next: FilterSpec;
  /** The first share of the requests that the canary gets, in percent. */
  readonly percent: number;
  /** The minimum time for which each share is watched, such as "30s". */
  readonly step: string;
  /** The admin addresses of the Envoys whose requests are counted. */
  readonly envoys: readonly string[];
  readonly options: WriteOptions;
  /** Receives one line for each event. */
  readonly report: (line: string) => void;
}

export type CanaryEnd =
  | { readonly succeeded: true; readonly revision: number; readonly seen: Comparison }
  | { readonly succeeded: false; readonly revision: number; readonly why: string; readonly seen: Comparison };

const pollMs = 200;
/** The minimum number of requests of a share before it is judged good. */
const minRequests = 20;
/** A share with fewer requests after this number of steps is rolled back. */
const maxSteps = 10;

/**
 * Gives a new version to a share of the requests. The share grows tenfold, then to half, then to all requests. The new
 * version is rolled back when more of its requests fail than with the old version, or when they take longer. Each change is
 * an ordinary write, which is rejected if another writer has changed the filter.
 */
export async function runCanary(plan: CanaryPlan): Promise<CanaryEnd> {
  const { name, former, next, envoys, report } = plan;
  const { listeners } = former.body.spec;
  const before = await readCanaryStats(envoys, listeners).catch(cannotReadStats);
  const interrupted = new AbortController();
  const interrupt = () => interrupted.abort();
  process.once("SIGINT", interrupt);
  let current: Answer<unknown> = former;
  const write = async (spec: FilterSpec, message: string): Promise<WriteAnswer> => {
    const headers: Record<string, string> = current.etag === undefined ? {} : { "if-match": current.etag };
    const request = { params: { plural: "filters", name }, body: { spec }, headers };
    const written = await sendWrite(plan.client, "putDocument", { ...plan.options, message }, request);
    current = written;
    return written.body;
  };
  const { canary: _former, ...stable } = former.body.spec;
  const withCanary = (percent: number): FilterSpec => {
    const { sha256, config } = next;
    const canary = { sha256, ...(config === undefined ? {} : { config }), percent };
    return { ...stable, canary };
  };
  try {
    let seen = since(before, before);
    let why: string | undefined;
    for (const percent of sharesFrom(plan.percent)) {
      const { proxies = [] } = await write(withCanary(percent), `canary of ${name}: ${percent}%`);
      if (!proxies.every(isFine)) why = `a proxy has not accepted it:\n${outcomesTable(proxies)}`;
      else report(`${percent}% of the requests get the new version.`);
      const watched = why === undefined ? await watch(plan, before, interrupted.signal) : { seen, why };
      ({ seen, why } = watched);
      if (why === undefined) continue;
      // A share of 0% takes effect at once. Removing the canary changes the listener, whose old connections may
      // stay open for a while.
      await write(withCanary(0), `canary of ${name}: roll back`);
      const { revision } = await write(stable, `canary of ${name}: remove it after the rollback`);
      return { succeeded: false, revision, why, seen };
    }
    const { revision } = await write(next, `canary of ${name}: succeeded`);
    return { succeeded: true, revision, seen };
  } finally {
    process.removeListener("SIGINT", interrupt);
  }
}

/** The shares of a canary: 1%, 10% and 50%, or 20% and 50%. */
function sharesFrom(percent: number): readonly number[] {
  const shares = [percent];
  for (let next = percent * 10; next < 50; next *= 10) shares.push(next);
  return percent < 50 ? [...shares, 50] : shares;
}

/** Watches one share until it is judged good, or until there is a reason to roll back. */
async function watch(
  { envoys, former, step }: CanaryPlan,
  before: Comparison,
  interrupted: AbortSignal,
): Promise<{ readonly seen: Comparison; readonly why: string | undefined }> {
  const stepMs = durationMs(step);
  const started = performance.now();
  let atStart: Comparison | undefined;
  let lastRead = started;
  let seen = since(before, before);
  for (;;) {
    const elapsed = performance.now() - started;
    const read = await readCanaryStats(envoys, former.body.spec.listeners).catch(() => undefined);
    if (read !== undefined) {
      lastRead = performance.now();
      atStart ??= read;
      seen = since(before, read);
      const why = verdict(seen) ?? verdict(since(atStart, read));
      if (why !== undefined) return { seen, why };
      const enough = since(atStart, read).canary.requests >= minRequests;
      if (elapsed >= stepMs && enough) return { seen, why: undefined };
    }
    if (interrupted.aborted) return { seen, why: "it was interrupted" };
    if (performance.now() - lastRead > stepMs) return { seen, why: "an Envoy no longer sends its statistics" };
    if (elapsed > maxSteps * stepMs) return { seen, why: `fewer than ${minRequests} requests in ${maxSteps} steps` };
    await pause(pollMs);
  }
}

function cannotReadStats(error: unknown): never {
  const cause = error instanceof Error ? error.message : String(error);
  const hint = "give the admin address of each Envoy with --envoy, such as http://127.0.0.1:9901";
  throw new CommandFailure(
    exitCodes.unreachable,
    `Cannot read the statistics for judging the canary: ${cause}\n  ${hint}`,
  );
}
