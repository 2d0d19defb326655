import assert from "node:assert/strict";
import { test } from "node:test";
import { Turns } from "../../process/turns.ts";
import { Value } from "../../process/watchable.ts";
import { fanOut } from "./fan-out.ts";

const busyFor = (milliseconds: number): void => {
  for (const until = performance.now() + milliseconds; performance.now() < until; );
};
const turn = () => new Promise((resolve) => setImmediate(resolve));

test("few subscribers are notified before the value's setter returns", () => {
  const value = new Value(0);
  const seen: number[] = [];
  const stop = fanOut(value, new Turns()).subscribe(() => seen.push(value.get()));
  value.set(1);
  assert.deepEqual(seen, [1]);
  stop();
  value.set(2);
  assert.deepEqual(seen, [1]);
});

test("many are notified in slices: other work gets its turn, and each is called once, for the newest value only", {
  timeout: 10_000,
}, async () => {
  const value = new Value(0);
  const all = fanOut(value, new Turns());
  const seen = Array.from({ length: 100 }, () => [] as number[]);
  for (const each of seen) {
    all.subscribe(() => {
      each.push(value.get());
      busyFor(1);
    });
  }
  value.set(1);
  const reached = seen.filter(({ length }) => length > 0).length;
  assert.ok(reached > 0 && reached < 50, `${reached} of 100 in the first slice`);
  value.set(2);
  let turns = 0;
  for (; seen.some((each) => each.at(-1) !== 2); turns += 1) await turn();
  assert.ok(turns > 5, `${turns} turns for 100 subscribers of a millisecond each`);
  assert.equal(seen.filter((each) => each.includes(1)).length, reached, "those not reached skip what is old");
  assert.ok(seen.every((each) => each.filter((value) => value === 2).length === 1));
});

test("a pending subscriber keeps its place before those that were notified already", { timeout: 10_000 }, async () => {
  const value = new Value(0);
  const all = fanOut(value, new Turns());
  let notified = 0;
  let isLastTold = false;
  for (let count = 0; count < 40; count += 1) {
    all.subscribe(() => {
      notified += 1;
      busyFor(1);
    });
  }
  all.subscribe(() => {
    isLastTold = true;
  });
  while (!isLastTold) {
    value.set(value.get() + 1);
    await turn();
  }
  assert.ok(notified < 100, `${notified} calls before the last subscriber's first`);
});

test("a subscriber that leaves while it is pending is not notified, and closing ends the rest", {
  timeout: 10_000,
}, async () => {
  const value = new Value(0);
  const all = fanOut(value, new Turns());
  const late: number[] = [];
  all.subscribe(() => busyFor(20));
  const stop = all.subscribe(() => late.push(1));
  all.subscribe(() => busyFor(20));
  all.subscribe(() => late.push(2));
  value.set(1);
  stop();
  await turn();
  all.close();
  await turn();
  await turn();
  assert.deepEqual(late, []);
  value.set(2);
  assert.deepEqual(late, []);
});
