/** The counts of the requests that one version of a filter handled. */
export interface Tally {
  readonly requests: number;
  /** Requests answered with 5xx, by the service or by the proxy. A filter that traps causes 503. */
  readonly failures: number;
  /** The sum of all times from the first byte of the request to the first byte of the response, in microseconds. */
  readonly micros: number;
}

export interface Comparison {
  readonly old: Tally;
  readonly canary: Tally;
}

/** A share of failures that is tolerated, even when the old version has fewer. */
const toleratedShare = 0.005;
/** A canary is rolled back when the probability of its failures by chance alone is below this. */
const significance = 0.001;
/** The minimum number of requests of each version for a comparison of times. */
const minRequestsForLatency = 100;
/** The canary may take this many times as long as the old version, and this much longer. */
const toleratedFactor = 2;
const toleratedExtraMicros = 5_000;

/** Why a canary must be rolled back. Undefined while there is no reason. */
export function verdict({ old, canary }: Comparison): string | undefined {
  const usual = Math.max(share(old), toleratedShare);
  if (canary.failures > 1 && atLeast(canary.failures, canary.requests, usual) < significance) {
    return `${canary.failures} of its ${canary.requests} requests failed; with the old version, ${old.failures} of ${old.requests}`;
  }
  if (Math.min(old.requests, canary.requests) < minRequestsForLatency) return undefined;
  const [before, now] = [old.micros / old.requests, canary.micros / canary.requests];
  if (now <= toleratedFactor * before + toleratedExtraMicros) return undefined;
  return `its requests take ${milliseconds(now)}; with the old version, ${milliseconds(before)}`;
}

/** The counts between two readings. */
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

/** The probability that at least `wanted` of `count` independent events happen, each with `probability`. */
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
