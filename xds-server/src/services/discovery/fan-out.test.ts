import assert from "node:assert/strict";
import { test } from "node:test";
import { Turns } from "../../process/turns.ts";
import { Value } from "../../process/watchable.ts";
import { fanOut } from "./fan-out.ts";

const busyFor = (milliseconds: number): void => {
  for (const until = performance.now() + milliseconds; performance.now() < until; );
};
const turn = () => new Promise((resolve) => setImmediate(resolve));

test("few followers are told before the value's setter goes on", () => {
  const value = new Value(0);
  const seen: number[] = [];
  const stop = fanOut(value, new Turns()).follow(() => seen.push(value.get()));
  value.set(1);
  assert.deepEqual(seen, [1]);
  stop();
  value.set(2);
  assert.deepEqual(seen, [1]);
});

test("many are told in slices: others have their turn, each hears once, of the newest value only", {
  timeout: 10_000,
}, async () => {
  const value = new Value(0);
  const all = fanOut(value, new Turns());
  const seen = Array.from({ length: 100 }, () => [] as number[]);
  for (const each of seen) {
    all.follow(() => {
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
  assert.ok(turns > 5, `${turns} turns for 100 followers of a millisecond each`);
  assert.equal(seen.filter((each) => each.includes(1)).length, reached, "those not reached skip what is old");
  assert.ok(seen.every((each) => each.filter((value) => value === 2).length === 1));
});

test("who waits is not put back behind those that were told already", { timeout: 10_000 }, async () => {
  const value = new Value(0);
  const all = fanOut(value, new Turns());
  let told = 0;
  let isLastTold = false;
  for (let count = 0; count < 40; count += 1) {
    all.follow(() => {
      told += 1;
      busyFor(1);
    });
  }
  all.follow(() => {
    isLastTold = true;
  });
  while (!isLastTold) {
    value.set(value.get() + 1);
    await turn();
  }
  assert.ok(told < 100, `${told} calls before the last follower's first`);
});

test("who stops following while it waits is not told, and closing ends the rest", { timeout: 10_000 }, async () => {
  const value = new Value(0);
  const all = fanOut(value, new Turns());
  const late: number[] = [];
  all.follow(() => busyFor(20));
  const stop = all.follow(() => late.push(1));
  all.follow(() => busyFor(20));
  all.follow(() => late.push(2));
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
