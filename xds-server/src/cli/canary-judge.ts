/** What was counted of the requests that one version of a filter had. */
export interface Tally {
  readonly requests: number;
  /** Answered 5xx, by whomever: a filter that traps answers 503. */
  readonly failures: number;
  /** From the first byte of the request to the first byte of the answer, summed, in microseconds. */
  readonly micros: number;
}

export interface Comparison {
  readonly old: Tally;
  readonly canary: Tally;
}

/** So many failures are never held against a canary, however good the old version is. */
const toleratedShare = 0.005;
/** A canary goes back when chance alone would give so many failures less often than this. */
const significance = 0.001;
/** Fewer requests say nothing of how long they take. */
const minRequestsForLatency = 100;
const toleratedFactor = 2;
const toleratedExtraMicros = 5_000;

/** Why a canary must go back, or undefined while nothing speaks against it. */
export function verdict({ old, canary }: Comparison): string | undefined {
  const usual = Math.max(share(old), toleratedShare);
  if (canary.failures > 1 && atLeast(canary.failures, canary.requests, usual) < significance) {
    return `${canary.failures} of its ${canary.requests} requests failed; of the old version, ${old.failures} of ${old.requests}`;
  }
  if (Math.min(old.requests, canary.requests) < minRequestsForLatency) return undefined;
  const [before, now] = [old.micros / old.requests, canary.micros / canary.requests];
  if (now <= toleratedFactor * before + toleratedExtraMicros) return undefined;
  return `its requests take ${milliseconds(now)}, those of the old version ${milliseconds(before)}`;
}

/** What was counted from one reading to a later one. */
export function since(before: Comparison, now: Comparison): Comparison {
  const difference = (one: Tally, other: Tally): Tally => ({
    requests: other.requests - one.requests,
    failures: other.failures - one.failures,
    micros: other.micros - one.micros,
  });
  return { old: difference(before.old, now.old), canary: difference(before.canary, now.canary) };
}

const share = ({ requests, failures }: Tally): number => (requests === 0 ? 0 : failures / requests);

const milliseconds = (micros: number): string => `${(micros / 1000).toFixed(1)} ms`;

/** The probability of so many or more of `count` independent events of a probability: what the others do not make up. */
function atLeast(wanted: number, count: number, probability: number): number {
  if (probability >= 1) return 1;
  let term = (1 - probability) ** count;
  let fewer = 0;
  for (let events = 0; events < wanted; events++) {
    fewer += term;
    term *= ((count - events) / (events + 1)) * (probability / (1 - probability));
  }
  return Math.max(0, 1 - fewer);
}
