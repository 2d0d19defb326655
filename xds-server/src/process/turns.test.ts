import assert from "node:assert/strict";
import { test } from "node:test";
import { Turns } from "./turns.ts";

const busyFor = (milliseconds: number): void => {
  for (const until = performance.now() + milliseconds; performance.now() < until; );
};
const turn = () => new Promise((resolve) => setImmediate(resolve));

test("little work is done at once, in each turn of the event loop", async () => {
  const turns = new Turns();
  const done: number[] = [];
  turns.take(() => done.push(1));
  assert.deepEqual(done, [1]);
  await turn();
  turns.take(() => done.push(2));
  assert.deepEqual(done, [1, 2]);
});

test("much work is done in order, and lets others have their turn between", { timeout: 10_000 }, async () => {
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
  // Comes later, so it waits for all before it though there would be time for it.
  await turn();
  turns.take(() => done.push(30));
  let count = 0;
  for (; done.length < 31; count += 1) await turn();
  assert.ok(count > 1);
  assert.deepEqual(done, [...all, 30]);
});

test("a turn that follows another is short, because what was done in it has to be written and answered", async () => {
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

test("of what will not fit into one turn anyhow, the first turn does little too", async () => {
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

test("work that is waited for gives or throws what it does when its turn has come", async () => {
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
