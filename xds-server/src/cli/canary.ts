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
  /** What runs now, as it was read. */
  readonly former: Answer<Document<"Filter">>;
  /** What runs for all in the end. */
  readonly next: FilterSpec;
  /** The first share of the requests, in percent. */
  readonly percent: number;
  /** How long each share is watched at least. */
  readonly step: string;
  /** The admin addresses of the Envoys whose requests count. */
  readonly envoys: readonly string[];
  readonly options: WriteOptions;
  /** Hears what happens. */
  readonly say: (line: string) => void;
}

export type CanaryEnd =
  | { readonly succeeded: true; readonly revision: number; readonly seen: Comparison }
  | { readonly succeeded: false; readonly revision: number; readonly why: string; readonly seen: Comparison };

const pollMs = 200;
/** A share is judged good only by so many requests of it. */
const leastRequests = 20;
/** A share that has not had them after so many steps goes back. */
const mostSteps = 10;

/**
 * Gives a new version to a share of the requests, then to ten times as many, then to half, then to all; goes back when its requests
 * fail or take long where those of the old version do not. Each change is an ordinary write, made only if nobody else changed the filter.
 */
export async function runCanary(plan: CanaryPlan): Promise<CanaryEnd> {
  const { name, former, next, envoys, say } = plan;
  const { listeners } = former.body.spec;
  const before = await readCanaryStats(envoys, listeners).catch(cannotSee);
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
  const { canary: _abandoned, ...stable } = former.body.spec;
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
      if (!proxies.every(isFine)) why = `a proxy does not take it:\n${outcomesTable(proxies)}`;
      else say(`${percent}% of the requests get the new version.`);
      const watched = why === undefined ? await watch(plan, before, interrupted.signal) : { seen, why };
      ({ seen, why } = watched);
      if (why === undefined) continue;
      // At once, and then out of the listener, whose connections may stay for a while.
      await write(withCanary(0), `canary of ${name} goes back`);
      const { revision } = await write(stable, `canary of ${name} went back`);
      return { succeeded: false, revision, why, seen };
    }
    const { revision } = await write(next, `canary of ${name} succeeded`);
    return { succeeded: true, revision, seen };
  } finally {
    process.removeListener("SIGINT", interrupt);
  }
}

/** 1% is followed by 10% and 50%, 20% by 50%. */
function sharesFrom(percent: number): readonly number[] {
  const shares = [percent];
  for (let next = percent * 10; next < 50; next *= 10) shares.push(next);
  return percent < 50 ? [...shares, 50] : shares;
}

/** Watches one share until it has been good for long enough, or is not. */
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
      const enough = since(atStart, read).canary.requests >= leastRequests;
      if (elapsed >= stepMs && enough) return { seen, why: undefined };
    }
    if (interrupted.aborted) return { seen, why: "it was interrupted" };
    if (performance.now() - lastRead > stepMs) return { seen, why: "an Envoy does not tell its stats any more" };
    if (elapsed > mostSteps * stepMs)
      return { seen, why: `fewer than ${leastRequests} requests in ${mostSteps} steps` };
    await pause(pollMs);
  }
}

function cannotSee(error: unknown): never {
  const cause = error instanceof Error ? error.message : String(error);
  const hint = "name the admin address of each Envoy by --envoy, such as http://127.0.0.1:9901";
  throw new CommandFailure(
    exitCodes.unreachable,
    `Cannot read the stats by which the canary is judged: ${cause}\n  ${hint}`,
  );
}
