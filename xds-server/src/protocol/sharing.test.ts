import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { resourceType } from "../resources/resource-types.ts";
import type { Snapshot } from "../resources/snapshot.ts";
import { onRequest, onSnapshot, openStream, type Request, type Step } from "./stream.ts";
import { deltaRequest, type RequestOptions, sent, snapshot, sotwRequest } from "./testing.ts";
import type { TypeStream, Variant } from "./type-stream.ts";

const limits = { holdLimitMs: 1000, unsentHoldLimitMs: 20_000, maxRejections: 100 };
const { typeUrl } = resourceType("EDS");
const eds = (step: Step): TypeStream =>
  step.stream.types.get(typeUrl) ?? assert.fail("the client did not subscribe to endpoints");
const versions = (...each: string[]) => snapshot({ EDS: Object.fromEntries(each.map((name) => name.split("@"))) });

/** A client that subscribes to endpoints. It answers when `answer` is called. */
class Client {
  step: Step;
  #now: number;
  readonly #ask: (names: readonly string[], options: RequestOptions) => Request;

  constructor(variant: Variant, at: Snapshot, now: number) {
    this.#now = now;
    this.step = { stream: openStream(variant, at, limits), responses: [] };
    this.#ask = (names, options) =>
      variant === "sotw" ? sotwRequest("EDS", names, options) : deltaRequest("EDS", { added: names }, options);
  }

  subscribe(...names: string[]): this {
    this.step = onRequest(this.step.stream, this.#ask(names, {}), this.#now);
    return this;
  }

  answer(options: Pick<RequestOptions, "errorDetail"> = {}): this {
    const request = { type: resourceType("EDS"), responseNonce: eds(this.step).lastNonce, names: "unchanged" } as const;
    this.step = onRequest(this.step.stream, { ...request, ...options }, this.#now);
    return this;
  }

  publish(next: Snapshot): this {
    this.step = onSnapshot(this.step.stream, next, this.#now);
    return this;
  }
}

for (const variant of ["sotw", "delta"] as const) {
  describe(`equal ${variant} streams`, () => {
    test("get the same response and share their state, whenever they opened and in whatever order they list names", () => {
      const [first, second] = [versions("a@1", "b@1"), versions("a@2", "b@1")];
      const one = new Client(variant, first, 5).subscribe("a", "b").answer().publish(second);
      const other = new Client(variant, first, 9).subscribe("b", "a").answer().publish(second);
      assert.deepEqual(sent(one.step), ["EDS +a@2"]);
      assert.equal(one.step.responses[0], other.step.responses[0]);
      assert.equal(eds(one.answer().step), eds(other.answer().step));
    });

    test("share their state again after one was slow and skipped a version", () => {
      const [first, second, third] = [versions("a@1"), versions("a@2"), versions("a@3")];
      const quick = new Client(variant, first, 0).subscribe("a").answer().publish(second).answer().publish(third);
      const slow = new Client(variant, first, 0).subscribe("a").publish(second).publish(third).answer();
      assert.deepEqual(sent(slow.step), ["EDS +a@3"]);
      assert.equal(eds(quick.answer().step), eds(slow.answer().step));
    });

    test("keep sharing their state when they reject the same version with different error details", () => {
      const [first, second, third] = [versions("a@1"), versions("a@2"), versions("a@3")];
      const rejects = (reason: string, now: number) =>
        new Client(variant, first, now)
          .subscribe("a")
          .answer()
          .publish(second)
          .answer({ errorDetail: reason })
          .publish(third);
      const [one, other] = [rejects("no", 3), rejects("never", 4)];
      assert.deepEqual(sent(one.step), ["EDS +a@3"]);
      assert.equal(one.step.responses[0], other.step.responses[0]);
      assert.equal(eds(one.answer().step), eds(other.answer().step));
    });

    test("that subscribe to different names get different responses", () => {
      const at = versions("a@1", "b@1");
      const one = new Client(variant, at, 0).subscribe("a");
      const other = new Client(variant, at, 0).subscribe("b");
      assert.deepEqual([sent(one.step), sent(other.step)], [["EDS +a@1"], ["EDS +b@1"]]);
    });
  });
}

test("delta streams that reconnect with the same versions get the same response", () => {
  const now = versions("a@2", "b@1");
  const back = () =>
    onRequest(
      openStream("delta", now, limits),
      deltaRequest("EDS", { added: ["a", "b"], initial: { a: "1", b: "1" } }),
      0,
    );
  const [one, other] = [back(), back()];
  assert.deepEqual(sent(one), ["EDS +a@2"]);
  assert.equal(one.responses[0], other.responses[0]);
});

test("a nonce differs from the one before, even when the version is the same", () => {
  const at = versions("a@1");
  const client = new Client("delta", at, 0).subscribe("a");
  const first = eds(client.step).lastNonce;
  const second = eds(client.answer().subscribe("a").step).lastNonce;
  const third = eds(client.answer().subscribe("a").step).lastNonce;
  assert.equal(new Set([first, second, third]).size, 3);
});
