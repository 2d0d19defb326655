import assert from "node:assert/strict";
import { test } from "node:test";
import { Value } from "./watchable.ts";

test("a watcher is called with each later value until it stops", () => {
  const value = new Value(1);
  const seen: number[] = [];
  const stop = value.watch((each) => seen.push(each));
  value.set(2);
  stop();
  value.set(3);
  assert.deepEqual(seen, [2]);
  assert.equal(value.get(), 3);
});

test("when a watcher sets a value, every watcher sees the current value first and the new one second", () => {
  const value = new Value(0);
  const seen: [number[], number[]] = [[], []];
  value.watch((each) => {
    seen[0].push(each);
    if (each < 3) value.set(each + 1);
  });
  value.watch((each) => seen[1].push(each));
  value.set(1);
  assert.deepEqual(seen, [
    [1, 2, 3],
    [1, 2, 3],
  ]);
});

test("a watcher that throws does not stop the others, and `set` throws its error", () => {
  const value = new Value(0);
  const seen: number[] = [];
  const failing = value.watch((each) => {
    throw new Error(`at ${each}`);
  });
  value.watch((each) => seen.push(each));
  assert.throws(() => value.set(1), /^Error: at 1$/);
  const failingToo = value.watch(() => {
    throw new Error("and another");
  });
  assert.throws(
    () => value.set(2),
    (error) => error instanceof AggregateError && error.errors.length === 2,
  );
  failing();
  failingToo();
  value.set(3);
  assert.deepEqual(seen, [1, 2, 3]);
});
