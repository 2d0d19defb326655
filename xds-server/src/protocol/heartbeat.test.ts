import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { resourceType } from "../resources/resource-types.ts";
import type { Snapshot } from "../resources/snapshot.ts";
import { onRequest, onSnapshot, onTime, openStream, type Step } from "./stream.ts";
import { deltaRequest, resource, sent, sotwRequest } from "./testing.ts";
import type { Variant } from "./type-stream.ts";

const limits = { holdLimitMs: 1000, unsentHoldLimitMs: 20_000, maxRejections: 10 };

/** Resources of one type. Those in `withTtl` have a time to live of 10 seconds. */
function resources(shortName: string, versions: Record<string, string>, withTtl: readonly string[]): Snapshot {
  const set = Object.entries(versions).map(([name, version]) => {
    const made = resource(shortName, name, version);
    return [name, withTtl.includes(name) ? { ...made, ttlMs: 10_000 } : made] as const;
  });
  return { resources: new Map([[resourceType(shortName).typeUrl, new Map(set)]]) };
}

const alive = ({ responses }: Step): string[] =>
  responses.flatMap(({ update }) => update.alive.map(({ name }) => name));
const open = (variant: Variant, at: Snapshot, knowsTtl = true): Step => ({
  stream: openStream(variant, at, limits, { knowsTtl }),
  responses: [],
});
const nonce = ({ stream }: Step, shortName: string): string =>
  stream.types.get(resourceType(shortName).typeUrl)?.lastNonce ?? "";

const asks = {
  sotw: (names: string[], options = {}) => sotwRequest("EDS", names, options),
  delta: (names: string[], options = {}) => deltaRequest("EDS", { added: "nonce" in options ? [] : names }, options),
};

for (const variant of ["sotw", "delta"] as const) {
  const ask = asks[variant];
  const names = ["a", "b"];
  const answered = (step: Step, now: number): Step =>
    onRequest(step.stream, ask(names, { nonce: nonce(step, "EDS") }), now);

  describe(`a ${variant} stream with resources that have a time to live`, () => {
    test("sends a heartbeat each time that half of the time to live has passed", () => {
      let step = onRequest(open(variant, resources("EDS", { a: "1", b: "1" }, ["a"])).stream, ask(names), 0);
      step = answered(step, 1);
      for (const due of [5000, 10_000, 15_000]) {
        assert.equal(step.wakeAt, due);
        assert.deepEqual(onTime(step.stream, due - 1).responses, []);
        step = onTime(step.stream, due);
        assert.deepEqual([sent(step), alive(step)], [["EDS"], ["a"]]);
        step = answered(step, due + 1);
      }
    });

    test("sends a due heartbeat only after the client answers the response in flight", () => {
      let step = onRequest(open(variant, resources("EDS", { a: "1" }, ["a"])).stream, ask(names), 0);
      step = onTime(step.stream, 6000);
      assert.deepEqual([step.responses, step.wakeAt], [[], undefined]);
      assert.deepEqual(alive(answered(step, 7000)), ["a"]);
    });

    test("sends no more heartbeats when they are deleted or lose their time to live", () => {
      for (const next of [resources("EDS", { a: "2" }, []), resources("EDS", {}, [])]) {
        let step = onRequest(open(variant, resources("EDS", { a: "1" }, ["a"])).stream, ask(names), 0);
        step = answered(step, 1);
        step = answered(onSnapshot(step.stream, next, 2), 3);
        step = onTime(step.stream, 5000);
        assert.deepEqual([step.responses, step.wakeAt], [[], undefined]);
      }
    });

    test("sends no heartbeat to a client that does not support a time to live", () => {
      let step = onRequest(open(variant, resources("EDS", { a: "1" }, ["a"]), false).stream, ask(names), 0);
      step = answered(step, 1);
      assert.equal(step.wakeAt, undefined);
    });
  });
}

test("a heartbeat of a full-state type repeats all resources, because the client deletes what it leaves out", () => {
  let step = onRequest(open("sotw", resources("CDS", { a: "1", b: "1" }, ["a"])).stream, sotwRequest("CDS"), 0);
  step = onRequest(step.stream, sotwRequest("CDS", [], { nonce: nonce(step, "CDS") }), 1);
  step = onTime(step.stream, 5000);
  assert.deepEqual([sent(step), alive(step)], [["CDS =a@1 =b@1"], []]);
});

test("a heartbeat of a full-state type repeats the last good version of a rejected resource", () => {
  let step = onRequest(open("sotw", resources("CDS", { a: "1", b: "1" }, ["a"])).stream, sotwRequest("CDS"), 0);
  step = onRequest(step.stream, sotwRequest("CDS", [], { nonce: nonce(step, "CDS") }), 1);
  step = onSnapshot(step.stream, resources("CDS", { a: "1", b: "bad" }, ["a"]), 2);
  step = onRequest(step.stream, sotwRequest("CDS", [], { nonce: nonce(step, "CDS"), errorDetail: "b: no" }), 3);
  assert.deepEqual(sent(onTime(step.stream, 5002)), ["CDS =a@1 =b@1"]);
});

test("equal streams get the same heartbeat object", () => {
  const at = resources("EDS", { a: "1" }, ["a"]);
  const [one, other] = [0, 1].map((now) => {
    let step = onRequest(open("delta", at).stream, deltaRequest("EDS", { added: ["a"] }), now);
    step = onRequest(step.stream, deltaRequest("EDS", {}, { nonce: nonce(step, "EDS") }), now + 1);
    return onTime(step.stream, now + 5000).responses[0];
  });
  assert.equal(one, other);
  assert.deepEqual(sent({ responses: one ? [one] : [] }), ["EDS"]);
});
