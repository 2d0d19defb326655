import assert from "node:assert/strict";
import { test } from "node:test";
import { Turns } from "./turns.ts";

const busyFor = (milliseconds: number): void => {
  for (const until = performance.now() + milliseconds; performance.now() < until; );
};
const turn = () => new Promise((resolve) => setImmediate(resolve));

test("a small amount of work runs at once, in each turn of the event loop", async () => {
  const turns = new Turns();
  const done: number[] = [];
  turns.take(() => done.push(1));
  assert.deepEqual(done, [1]);
  await turn();
  turns.take(() => done.push(2));
  assert.deepEqual(done, [1, 2]);
});

test("a large amount of work runs in order, spread over several turns of the event loop", {
  timeout: 10_000,
}, async () => {
  const turns = new Turns();
  const done: number[] = [];
  const all = Array.from({ length: 30 }, (_, index) => index);
  for (const index of all) {
    turns.take(() => {
      busyFor(2);
      done.push(index);
    });
  }
  assert.ok(done.length < 20, `${done.length} at once`);
  // Added later, so it runs after all earlier work, even though this turn has time left.
  await turn();
  turns.take(() => done.push(30));
  let count = 0;
  for (; done.length < 31; count += 1) await turn();
  assert.ok(count > 1);
  assert.deepEqual(done, [...all, 30]);
});

test("every turn after the first is shorter", async () => {
  const turns = new Turns();
  let done = 0;
  for (let n = 0; n < 60; n += 1) {
    turns.take(() => {
      busyFor(0.5);
      done += 1;
    });
  }
  assert.ok(done <= 21, `${done} in the first turn`);
  while (done < 60) {
    const before = done;
    await turn();
    assert.ok(done - before <= 9, `${done - before} in a turn`);
  }
});

test("the first turn is also short when there is too much work for one turn", async () => {
  const turns = new Turns();
  const done: number[] = [];
  const works = Array.from({ length: 2_100 }, (_, index) => () => {
    if (index < 60) busyFor(0.5);
    done.push(index);
  });
  turns.takeAll(works);
  assert.ok(done.length <= 9, `${done.length} in the first turn`);
  while (done.length < works.length) await turn();
  assert.deepEqual(done, [...works.keys()]);
});

test("run resolves or rejects with the outcome of the work after its turn", async () => {
  const turns = new Turns();
  const order: string[] = [];
  turns.take(() => busyFor(20));
  const given = turns.run(() => order.push("in its turn"));
  order.push("first");
  assert.equal(await given, 2);
  assert.deepEqual(order, ["first", "in its turn"]);
  const failed = turns.run(() => {
    throw new Error("no");
  });
  await assert.rejects(failed, /no/);
});
