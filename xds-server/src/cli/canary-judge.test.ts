import assert from "node:assert/strict";
import { test } from "node:test";
import { type Tally, verdict } from "./canary-judge.ts";

const tally = (requests: number, failures: number, msEach = 2): Tally => ({
  requests,
  failures,
  micros: requests * msEach * 1000,
});

const cases: readonly (readonly [what: string, old: Tally, canary: Tally, words: RegExp | undefined])[] = [
  ["no requests yet", tally(0, 0), tally(0, 0), undefined],
  ["one failure may be chance", tally(3000, 0), tally(30, 1), undefined],
  ["one in ten fails", tally(3000, 0), tally(30, 3), /^3 of its 30 requests failed; with the old version, 0 of 3000$/],
  ["all fail at once", tally(100, 0), tally(2, 2), /^2 of its 2/],
  ["both versions fail equally often: the service is at fault", tally(3000, 300), tally(30, 3), undefined],
  ["it fails much more often than a bad old version", tally(3000, 300), tally(100, 40), /^40 of its 100/],
  ["three in a thousand are tolerated", tally(100_000, 0), tally(1000, 3), undefined],
  ["slower by a factor, but only by a few milliseconds", tally(1000, 0, 2), tally(1000, 0, 8), undefined],
  ["much slower", tally(1000, 0, 2), tally(1000, 0, 12), /^its requests take 12\.0 ms; with the old version, 2\.0 ms$/],
  ["slow, but too few requests", tally(1000, 0, 2), tally(50, 0, 50), undefined],
];

for (const [what, old, canary, words] of cases) {
  test(`${words === undefined ? "continues" : "rolls back"}: ${what}`, () => {
    const reason = verdict({ old, canary });
    if (words === undefined) assert.equal(reason, undefined);
    else assert.match(reason ?? "", words);
  });
}

test("rarely rolls back a good canary, and soon rolls back one that fails one request in ten", () => {
  let seed = 7;
  const random = (): number => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
  /** The number of requests after which it is rolled back. Undefined when it is not within 2,000 requests. */
  const withdrawnAfter = (failureRate: number): number | undefined => {
    let failures = 0;
    for (let requests = 1; requests <= 2000; requests++) {
      if (random() < failureRate) failures++;
      if (verdict({ old: tally(99 * requests, 0), canary: tally(requests, failures) }) !== undefined) return requests;
    }
    return undefined;
  };
  const good = Array.from({ length: 200 }, () => withdrawnAfter(0.001)).filter((after) => after !== undefined);
  assert.ok(good.length <= 4, `${good.length} of 200`);
  const bad = Array.from({ length: 200 }, () => withdrawnAfter(0.1) ?? Number.POSITIVE_INFINITY).sort((a, b) => a - b);
  assert.ok((bad[190] ?? 0) < 120, `95% after ${bad[190]} requests`);
});
