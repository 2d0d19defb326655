import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { resourceType } from "../resources/resource-types.ts";
import type { Snapshot } from "../resources/snapshot.ts";
import { onRequest, onSnapshot, onTime, openStream, type Request, rejectionOf, type Step } from "./stream.ts";
import { deltaRequest, type RequestOptions, sent, snapshot, sotwRequest } from "./testing.ts";
import type { Variant } from "./type-stream.ts";

const HOLD = { holdLimitMs: 1000, unsentHoldLimitMs: 20_000, maxRejections: 100 };
const open = (variant: Variant, at: Snapshot): Step => ({ stream: openStream(variant, at, HOLD), responses: [] });
const ask = (step: Step, request: Request, now = 0): Step => onRequest(step.stream, request, now);
const publish = (step: Step, next: Snapshot, now = 0): Step => onSnapshot(step.stream, next, now);
const lastNonce = ({ stream }: Step, type: string): string =>
  stream.types.get(resourceType(type).typeUrl)?.lastNonce ?? "";

/** Both variants must behave the same. `want` subscribes to these names, or to everything when there are none. */
const variants = [
  {
    variant: "sotw",
    want: (type: string, names: string[] = [], options: RequestOptions = {}) => sotwRequest(type, names, options),
    answer: (type: string, names: string[], options: RequestOptions) => sotwRequest(type, names, options),
  },
  {
    variant: "delta",
    want: (type: string, names: string[] = [], options: RequestOptions = {}) =>
      deltaRequest(type, { added: names }, options),
    answer: (type: string, _names: string[], options: RequestOptions) => deltaRequest(type, {}, options),
  },
] as const;

for (const { variant, want, answer } of variants) {
  describe(`a ${variant} stream`, () => {
    test("sends everything to a client that names nothing", () => {
      const step = ask(open(variant, snapshot({ CDS: { a: "1", b: "1" } })), want("CDS"));
      assert.deepEqual(sent(step), ["CDS +a@1 +b@1"]);
    });

    test("answers a wildcard at once, even when there are no resources", () => {
      assert.deepEqual(sent(ask(open(variant, snapshot({})), want("LDS"))), ["LDS"]);
    });

    test("sends only the names that a client subscribed to", () => {
      const step = ask(open(variant, snapshot({ EDS: { a: "1", b: "1" } })), want("EDS", ["b"]));
      assert.deepEqual(sent(step), ["EDS +b@1"]);
    });

    test("keeps a subscription to a name that is created later", () => {
      let step = ask(open(variant, snapshot({ EDS: { a: "1" } })), want("EDS", ["a", "late"]));
      step = ask(step, answer("EDS", ["a", "late"], { nonce: lastNonce(step, "EDS") }));
      assert.deepEqual(sent(publish(step, snapshot({ EDS: { a: "1", late: "1" } }))), ["EDS +late@1"]);
    });

    test("sends nothing when a new snapshot changes nothing that the client wants", () => {
      let step = ask(open(variant, snapshot({ CDS: { a: "1" } })), want("CDS"));
      step = ask(step, answer("CDS", [], { nonce: lastNonce(step, "CDS") }));
      assert.deepEqual(sent(publish(step, snapshot({ CDS: { a: "1" }, RDS: { r: "1" } }))), []);
    });

    test("waits for an answer, then sends the newest snapshot only", () => {
      let step = ask(open(variant, snapshot({ RDS: { a: "1" } })), want("RDS", ["a"]));
      step = publish(step, snapshot({ RDS: { a: "2" } }));
      assert.deepEqual(sent(step), []);
      step = publish(step, snapshot({ RDS: { a: "3" } }));
      assert.deepEqual(sent(ask(step, answer("RDS", ["a"], { nonce: lastNonce(step, "RDS") }))), ["RDS +a@3"]);
    });

    test("does not send a rejected version again, and sends the next one", () => {
      let step = ask(open(variant, snapshot({ RDS: { a: "bad" } })), want("RDS", ["a"]));
      step = ask(step, answer("RDS", ["a"], { nonce: lastNonce(step, "RDS"), errorDetail: "no such cluster" }), 7);
      assert.deepEqual(sent(step), []);
      assert.equal(step.answer?.errorDetail, "no such cluster");
      const routes = step.stream.types.get(resourceType("RDS").typeUrl);
      assert.deepEqual(routes && rejectionOf(step.stream, routes, "a", "bad"), {
        version: "bad",
        reason: "no such cluster",
        at: 7,
      });
      assert.deepEqual(sent(publish(step, snapshot({ RDS: { a: "bad" } }))), []);
      assert.deepEqual(sent(publish(step, snapshot({ RDS: { a: "good" } }))), ["RDS +a@good"]);
    });

    test("reports how many resources may be at fault when the error detail names none of them", () => {
      const rejections = (reason: string, names: string[]) => {
        const versions = Object.fromEntries(names.map((name) => [name, "1"]));
        let step = ask(open(variant, snapshot({ RDS: versions })), want("RDS", names));
        step = ask(step, answer("RDS", names, { nonce: lastNonce(step, "RDS"), errorDetail: reason }));
        const routes = step.stream.types.get(resourceType("RDS").typeUrl);
        return names.map((name) => routes && rejectionOf(step.stream, routes, name, "1")?.suspects);
      };
      assert.deepEqual(rejections("no such field", ["a", "b"]), [2, 2]);
      assert.deepEqual(rejections("a and b are wrong", ["a", "b"]), [undefined, undefined]);
      assert.deepEqual(rejections("no such field", ["a"]), [undefined]);
    });

    test("does not send a rejected version again, even after a good version or a deletion", () => {
      let step = ask(open(variant, snapshot({ RDS: { a: "bad" } })), want("RDS", ["a"]));
      step = ask(step, answer("RDS", ["a"], { nonce: lastNonce(step, "RDS"), errorDetail: "no" }));
      for (const next of [snapshot({ RDS: { a: "good" } }), snapshot({ RDS: {} })]) {
        step = publish(step, next);
        step = ask(step, answer("RDS", ["a"], { nonce: lastNonce(step, "RDS") }));
        assert.deepEqual(sent(publish(step, snapshot({ RDS: { a: "bad" } }))), []);
      }
    });

    test("sends a changed cluster the last good endpoints when the newest ones were rejected", () => {
      const at = (c: string, e: string) => snapshot({ CDS: { c }, EDS: { c: e } });
      let step = ask(open(variant, at("1", "good")), want("CDS"));
      step = ask(step, want("EDS", ["c"]));
      for (const type of ["CDS", "EDS"])
        step = ask(step, answer(type, type === "EDS" ? ["c"] : [], { nonce: lastNonce(step, type) }));
      step = publish(step, at("1", "bad"));
      step = ask(step, answer("EDS", ["c"], { nonce: lastNonce(step, "EDS"), errorDetail: "no" }));
      assert.deepEqual(sent(publish(step, at("2", "bad"))), ["CDS +c@2", "EDS +c@good"]);
    });

    test("sends a changed cluster the endpoints that the client may have accepted from a rejected response", () => {
      const at = (clusters: Record<string, string>) => snapshot({ CDS: clusters, EDS: { a: "1", b: "1" } });
      const names = ["a", "b"];
      let step = ask(open(variant, at({})), want("CDS"));
      step = ask(step, answer("CDS", [], { nonce: lastNonce(step, "CDS") }));
      step = ask(step, want("EDS", names));
      step = publish(step, at({ b: "1" }));
      assert.deepEqual(sent(step), ["CDS +b@1"]);
      step = ask(step, answer("EDS", names, { nonce: lastNonce(step, "EDS"), errorDetail: "a: no" }));
      assert.deepEqual(sent(step), ["EDS +b@1"]);
      step = ask(step, answer("EDS", names, { nonce: lastNonce(step, "EDS"), errorDetail: "out of memory" }));
      step = ask(step, answer("CDS", [], { nonce: lastNonce(step, "CDS") }));
      assert.deepEqual(sent(publish(step, at({ b: "2" }))), ["CDS +b@2", "EDS +b@1"]);
    });

    test("sends the rest of a rejected response again, without the resource that the error detail names", () => {
      let step = ask(open(variant, snapshot({ EDS: { a: "1", "a-b": "1" } })), want("EDS", ["a", "a-b"]));
      step = ask(
        step,
        answer("EDS", ["a", "a-b"], { nonce: lastNonce(step, "EDS"), errorDetail: "endpoints of a-b: bad address" }),
      );
      assert.deepEqual(sent(step), ["EDS +a@1"]);
    });

    test("ignores an ACK that does not carry the last nonce", () => {
      const step = ask(open(variant, snapshot({ CDS: { a: "1" } })), want("CDS"));
      assert.equal(ask(step, answer("CDS", [], { nonce: "99" })).answer, undefined);
    });

    test("sends clusters before routes, and routes only after the clusters are ready", () => {
      let step = ask(open(variant, snapshot({ CDS: {}, RDS: { r: "1" } })), want("CDS"));
      step = ask(step, answer("CDS", [], { nonce: lastNonce(step, "CDS") }));
      step = ask(step, want("RDS", ["r"]));
      step = ask(step, answer("RDS", ["r"], { nonce: lastNonce(step, "RDS") }));
      step = publish(step, snapshot({ CDS: { c: "1" }, RDS: { r: "2" } }));
      assert.deepEqual(sent(step), ["CDS +c@1"]);
      assert.deepEqual(sent(ask(step, answer("CDS", [], { nonce: lastNonce(step, "CDS") }))), ["RDS +r@2"]);
    });

    test("sends the routes at the limit when the clusters are not ready by then", () => {
      let step = ask(open(variant, snapshot({ CDS: { c: "1" }, RDS: { r: "1" } })), want("CDS"), 100);
      step = ask(step, want("RDS", ["r"]), 200);
      assert.deepEqual(sent(step), []);
      assert.equal(step.wakeAt, 1100);
      assert.deepEqual(sent(onTime(step.stream, 1099)), []);
      assert.deepEqual(sent(onTime(step.stream, 1100)), ["RDS +r@1"]);
    });

    test("holds routes up to the longer limit while a newer cluster waits for an earlier one to be ready", () => {
      let step = ask(open(variant, snapshot({ CDS: { slow: "1" }, RDS: { r: "1" } })), want("CDS"));
      step = ask(step, want("RDS", ["r"]));
      step = publish(step, snapshot({ CDS: { slow: "1", later: "1" }, RDS: { r: "2" } }), 10);
      assert.equal(step.wakeAt, 1000);
      step = onTime(step.stream, 1000);
      assert.deepEqual([sent(step), step.wakeAt], [[], 20_000]);
      assert.deepEqual(sent(onTime(step.stream, 20_000)), ["RDS +r@2"]);
      step = ask(step, answer("CDS", [], { nonce: lastNonce(step, "CDS") }), 9000);
      assert.deepEqual([sent(step).map((each) => each.slice(0, 12)), step.wakeAt], [["CDS +later@1"], 10_000]);
      assert.deepEqual(sent(ask(step, answer("CDS", [], { nonce: lastNonce(step, "CDS") }), 9001)), ["RDS +r@2"]);
    });

    test("does not remove a cluster while its routes stay on the old version because the new one was rejected", () => {
      let step = ask(open(variant, snapshot({ CDS: { old: "1" }, RDS: { r: "1" } })), want("CDS"));
      step = ask(step, answer("CDS", [], { nonce: lastNonce(step, "CDS") }));
      step = ask(step, want("RDS", ["r"]));
      step = ask(step, answer("RDS", ["r"], { nonce: lastNonce(step, "RDS") }));
      step = publish(step, snapshot({ CDS: {}, RDS: { r: "bad" } }));
      assert.deepEqual(sent(step), ["RDS +r@bad"]);
      step = ask(step, answer("RDS", ["r"], { nonce: lastNonce(step, "RDS"), errorDetail: "r: no" }));
      assert.deepEqual(sent(step), []);
      step = publish(step, snapshot({ CDS: {}, RDS: { r: "2" } }));
      assert.deepEqual(sent(step), ["RDS +r@2"]);
      step = ask(step, answer("RDS", ["r"], { nonce: lastNonce(step, "RDS") }));
      assert.deepEqual(sent(step), ["CDS -old"]);
    });

    test("sends nothing of a type that a client unsubscribes from before that type is sent", () => {
      let step = ask(open(variant, snapshot({ CDS: { c: "1" } })), want("CDS"));
      step = ask(step, want("LDS", ["*"]));
      assert.deepEqual(sent(step), []);
      const leave = variant === "sotw" ? sotwRequest("LDS") : deltaRequest("LDS", { removed: ["*"] });
      step = ask(step, leave);
      assert.deepEqual(sent(ask(step, answer("CDS", [], { nonce: lastNonce(step, "CDS") }))), []);
    });

    test("sends the endpoints that a cluster in flight waits for, even when both are deleted in the meantime", () => {
      let step = ask(open(variant, snapshot({ CDS: { c: "1" }, EDS: { c: "1" } })), want("CDS"));
      step = publish(step, snapshot({}));
      step = ask(step, want("EDS", ["c"]));
      assert.deepEqual(sent(step), ["EDS +c@1"]);
      step = ask(step, answer("EDS", ["c"], { nonce: lastNonce(step, "EDS") }));
      assert.deepEqual(sent(step), []);
      assert.deepEqual(sent(ask(step, answer("CDS", [], { nonce: lastNonce(step, "CDS") }))), ["CDS -c"]);
    });

    test("removes a cluster only after the routes that used it have changed", () => {
      let step = ask(open(variant, snapshot({ CDS: { old: "1" }, RDS: { r: "1" } })), want("CDS"));
      step = ask(step, answer("CDS", [], { nonce: lastNonce(step, "CDS") }));
      step = ask(step, want("RDS", ["r"]));
      step = ask(step, answer("RDS", ["r"], { nonce: lastNonce(step, "RDS") }));
      step = publish(step, snapshot({ CDS: {}, RDS: { r: "2" } }));
      assert.deepEqual(sent(step), ["RDS +r@2"]);
      step = ask(step, answer("RDS", ["r"], { nonce: lastNonce(step, "RDS") }));
      assert.deepEqual(sent(step), ["CDS -old"]);
    });

    test("replaces a cluster by adding first, changing the route next and removing last", () => {
      let step = ask(open(variant, snapshot({ CDS: { old: "1" }, RDS: { r: "1" } })), want("CDS"));
      step = ask(step, answer("CDS", [], { nonce: lastNonce(step, "CDS") }));
      step = ask(step, want("RDS", ["r"]));
      step = ask(step, answer("RDS", ["r"], { nonce: lastNonce(step, "RDS") }));
      step = publish(step, snapshot({ CDS: { new: "1" }, RDS: { r: "2" } }));
      assert.deepEqual(sent(step), [variant === "sotw" ? "CDS +new@1 =old@1" : "CDS +new@1"]);
      step = ask(step, answer("CDS", [], { nonce: lastNonce(step, "CDS") }));
      assert.deepEqual(sent(step), ["RDS +r@2"]);
      step = ask(step, answer("RDS", ["r"], { nonce: lastNonce(step, "RDS") }));
      assert.deepEqual(sent(step), [variant === "sotw" ? "CDS =new@1 -old" : "CDS -old"]);
    });

    test("sends unchanged endpoints again when their cluster changes", () => {
      let step = ask(open(variant, snapshot({ CDS: { a: "1" }, EDS: { a: "1" } })), want("CDS"));
      step = ask(step, want("EDS", ["a"]));
      step = ask(step, answer("EDS", ["a"], { nonce: lastNonce(step, "EDS") }));
      step = ask(step, answer("CDS", [], { nonce: lastNonce(step, "CDS") }));
      step = publish(step, snapshot({ CDS: { a: "2" }, EDS: { a: "1" } }));
      assert.deepEqual(sent(step), ["CDS +a@2", "EDS +a@1"]);
    });

    test("does not send the deletion of a filter, because the proxy drops it with the listener", () => {
      let step = ask(open(variant, snapshot({ ECDS: { f: "1" } })), want("ECDS", ["f"]));
      step = ask(step, answer("ECDS", ["f"], { nonce: lastNonce(step, "ECDS") }));
      assert.deepEqual(sent(publish(step, snapshot({}))), []);
    });

    test("sends nothing of a type after the client unsubscribes from it", () => {
      let step = ask(open(variant, snapshot({ EDS: { a: "1" } })), want("EDS", ["a"]));
      const leave =
        variant === "sotw"
          ? sotwRequest("EDS", [], { nonce: lastNonce(step, "EDS") })
          : deltaRequest("EDS", { removed: ["a"] }, { nonce: lastNonce(step, "EDS") });
      step = ask(step, leave);
      assert.deepEqual(sent(publish(step, snapshot({ EDS: { a: "2" } }))), []);
    });

    test("sends the snapshot of its new group to a moved proxy", () => {
      let step = ask(open(variant, snapshot({ LDS: { here: "1" } })), want("LDS"));
      step = ask(step, answer("LDS", [], { nonce: lastNonce(step, "LDS") }));
      assert.deepEqual(sent(publish(step, snapshot({ LDS: { there: "1" } }))), ["LDS +there@1 -here"]);
    });
  });
}

describe("a delta stream", () => {
  test("reports at once, and only once, that a subscribed name does not exist", () => {
    let step = ask(open("delta", snapshot({})), deltaRequest("EDS", { added: ["ghost"] }));
    assert.deepEqual(sent(step), ["EDS -ghost"]);
    step = ask(step, deltaRequest("EDS", {}, { nonce: lastNonce(step, "EDS") }));
    assert.deepEqual(sent(step), []);
    assert.deepEqual(sent(publish(step, snapshot({ EDS: { ghost: "1" } }))), ["EDS +ghost@1"]);
  });

  test("sends only the difference, with deletions, to a client that reconnects with versions", () => {
    const request = deltaRequest("CDS", { initial: { same: "1", changed: "1", gone: "1" } });
    const step = ask(open("delta", snapshot({ CDS: { same: "1", changed: "2", added: "1" } })), request);
    assert.deepEqual(sent(step), ["CDS +changed@2 +added@1 -gone"]);
  });

  test("sends nothing to a client that reconnects up to date", () => {
    const step = ask(open("delta", snapshot({ CDS: { a: "1" } })), deltaRequest("CDS", { initial: { a: "1" } }));
    assert.deepEqual(sent(step), []);
  });

  test("sends a name again when the client subscribes to it again, changed or not", () => {
    let step = ask(open("delta", snapshot({ EDS: { a: "1" } })), deltaRequest("EDS", { added: ["a"] }));
    step = ask(step, deltaRequest("EDS", {}, { nonce: lastNonce(step, "EDS") }));
    assert.deepEqual(sent(ask(step, deltaRequest("EDS", { added: ["a"] }))), ["EDS +a@1"]);
  });

  test("sends the state of a name that a wildcard client unsubscribes from", () => {
    let step = ask(open("delta", snapshot({ CDS: { a: "1" } })), deltaRequest("CDS", { added: ["*", "a"] }));
    step = ask(step, deltaRequest("CDS", {}, { nonce: lastNonce(step, "CDS") }));
    assert.deepEqual(sent(ask(step, deltaRequest("CDS", { removed: ["a"] }))), ["CDS +a@1"]);
  });

  test("does not repeat the removal of a name that the client unsubscribed from before it rejected the response", () => {
    let step = ask(open("delta", snapshot({ EDS: { a: "1" } })), deltaRequest("EDS", { added: ["a", "ghost"] }));
    assert.deepEqual(sent(step), ["EDS +a@1 -ghost"]);
    step = ask(step, deltaRequest("EDS", {}, { nonce: lastNonce(step, "EDS") }));
    step = ask(step, deltaRequest("EDS", { added: ["*"], removed: ["a", "ghost"] }));
    assert.deepEqual(sent(step), ["EDS +a@1 -ghost"]);
    step = ask(step, deltaRequest("EDS", { removed: ["*"] }));
    step = ask(step, deltaRequest("EDS", { added: ["*"] }));
    step = ask(step, deltaRequest("EDS", {}, { nonce: lastNonce(step, "EDS"), errorDetail: "out of memory" }));
    assert.deepEqual(sent(step), ["EDS"]);
  });

  test("accepts a subscription with any nonce", () => {
    let step = ask(open("delta", snapshot({ EDS: { a: "1", b: "1" } })), deltaRequest("EDS", { added: ["a"] }));
    step = ask(step, deltaRequest("EDS", { added: ["b"] }, { nonce: "stale" }));
    assert.deepEqual(sent(step), []);
    assert.deepEqual(sent(ask(step, deltaRequest("EDS", {}, { nonce: lastNonce(step, "EDS") }))), ["EDS +b@1"]);
  });
});

describe("a sotw stream", () => {
  test("sends only the new names when the list of names grows", () => {
    let step = ask(open("sotw", snapshot({ EDS: { a: "1", b: "1" } })), sotwRequest("EDS", ["a"]));
    step = ask(step, sotwRequest("EDS", ["a", "b"], { nonce: lastNonce(step, "EDS") }));
    assert.deepEqual(sent(step), ["EDS +b@1"]);
  });

  test("does not respond to a request with a stale nonce", () => {
    let step = ask(open("sotw", snapshot({ EDS: { a: "1", b: "1" } })), sotwRequest("EDS", ["a"]));
    step = ask(step, sotwRequest("EDS", ["b"], { nonce: "stale" }));
    assert.deepEqual(sent(step), []);
    assert.deepEqual(sent(ask(step, sotwRequest("EDS", ["a"], { nonce: lastNonce(step, "EDS") }))), []);
  });

  test("keeps the wake-up time after a request with a stale nonce", () => {
    let step = ask(open("sotw", snapshot({ CDS: { c: "1" }, RDS: { r: "1" } })), sotwRequest("CDS"), 100);
    step = ask(step, sotwRequest("RDS", ["r"]), 200);
    assert.equal(step.wakeAt, 1100);
    step = ask(step, sotwRequest("CDS", [], { nonce: "stale" }), 300);
    assert.equal(step.wakeAt, 1100);
  });

  test("responds to a client that reconnects with the nonce and version of an earlier stream", () => {
    const step = ask(
      open("sotw", snapshot({ CDS: { a: "1" } })),
      sotwRequest("CDS", [], { nonce: "5", resumes: true }),
    );
    assert.deepEqual(sent(step), ["CDS +a@1"]);
  });

  test("reports that a subscribed cluster does not exist by leaving it out", () => {
    const step = ask(open("sotw", snapshot({ CDS: { a: "1" } })), sotwRequest("CDS", ["ghost"]));
    assert.deepEqual(sent(step), ["CDS -ghost"]);
  });

  test("sends only the changed resource of a type that is not full-state", () => {
    let step = ask(open("sotw", snapshot({ EDS: { a: "1", b: "1" } })), sotwRequest("EDS", ["a", "b"]));
    step = ask(step, sotwRequest("EDS", ["a", "b"], { nonce: lastNonce(step, "EDS") }));
    assert.deepEqual(sent(publish(step, snapshot({ EDS: { a: "1", b: "2" } }))), ["EDS +b@2"]);
  });

  test("repeats the last good version of a rejected cluster, because the client deletes what is left out", () => {
    let step = ask(open("sotw", snapshot({ CDS: { a: "1", b: "1" } })), sotwRequest("CDS"));
    step = ask(step, sotwRequest("CDS", [], { nonce: lastNonce(step, "CDS") }));
    step = publish(step, snapshot({ CDS: { a: "bad", b: "1" } }));
    step = ask(
      step,
      sotwRequest("CDS", [], { nonce: lastNonce(step, "CDS"), errorDetail: "Error adding/updating cluster(s) a: no" }),
    );
    assert.deepEqual(sent(step), []);
    assert.deepEqual(sent(publish(step, snapshot({ CDS: { a: "bad", b: "2" } }))), ["CDS +b@2 =a@1"]);
  });

  test("repeats a rejected cluster while a reconnected client may hold an earlier version of it", () => {
    const back = { nonce: "7", resumes: true };
    let step = ask(open("sotw", snapshot({ CDS: { a: "bad", b: "1" } })), sotwRequest("CDS", [], back));
    assert.deepEqual(sent(step), ["CDS +a@bad +b@1"]);
    const errorDetail = "Error adding/updating cluster(s) a: no";
    step = ask(step, sotwRequest("CDS", [], { nonce: lastNonce(step, "CDS"), errorDetail }));
    assert.deepEqual(sent(step), [], "a rejected version alone is no reason for a response");
    step = publish(step, snapshot({ CDS: { a: "bad", b: "2" } }));
    assert.deepEqual(sent(step), ["CDS +b@2 =a@bad"]);
    step = ask(step, sotwRequest("CDS", [], { nonce: lastNonce(step, "CDS"), errorDetail }));
    assert.deepEqual(sent(step), [], "b counts as accepted: the NACK names only the repeated cluster");
    step = publish(step, snapshot({ CDS: { a: "2", b: "2" } }));
    assert.deepEqual(sent(step), ["CDS +a@2 =b@2"]);
    step = ask(step, sotwRequest("CDS", [], { nonce: lastNonce(step, "CDS") }));
    step = publish(step, snapshot({ CDS: { a: "bad", b: "2" } }));
    step = ask(step, sotwRequest("CDS", [], { nonce: lastNonce(step, "CDS"), errorDetail }));
    assert.deepEqual(sent(publish(step, snapshot({ CDS: { a: "bad", b: "3" } }))), ["CDS +b@3 =a@2"]);
  });

  test("does not send a cluster again that a reconnected client rejected, even after its deletion", () => {
    const bad = snapshot({ CDS: { a: "bad" } });
    let step = ask(open("sotw", bad), sotwRequest("CDS", [], { resumes: true }));
    step = ask(step, sotwRequest("CDS", [], { nonce: lastNonce(step, "CDS"), errorDetail: "a: no" }));
    step = publish(step, snapshot({}));
    assert.deepEqual(sent(step), ["CDS -a"]);
    step = ask(step, sotwRequest("CDS", [], { nonce: lastNonce(step, "CDS") }));
    assert.deepEqual(sent(publish(step, bad)), []);
  });

  test("no longer counts a version as rejected after it was rejected together with others, repeated and accepted", () => {
    const at = (clusters: Record<string, string>, listeners: Record<string, string>) =>
      snapshot({ CDS: clusters, LDS: listeners });
    let step = ask(open("sotw", at({ old: "1" }, { a: "1", bad: "1" })), sotwRequest("CDS"));
    step = ask(step, sotwRequest("CDS", [], { nonce: lastNonce(step, "CDS") }));
    step = ask(step, sotwRequest("LDS"));
    step = ask(step, sotwRequest("LDS", [], { nonce: lastNonce(step, "LDS"), errorDetail: "bad: no" }));
    assert.deepEqual(sent(step), ["LDS +a@1"]);
    step = ask(step, sotwRequest("LDS", [], { nonce: lastNonce(step, "LDS"), errorDetail: "out of memory" }));
    step = publish(step, at({ old: "1" }, { a: "1", c: "1" }));
    assert.deepEqual(sent(step), ["LDS +c@1 =a@1 -bad"]);
    step = ask(step, sotwRequest("LDS", [], { nonce: lastNonce(step, "LDS") }));
    assert.deepEqual(sent(publish(step, at({}, { a: "1", c: "1" }))), ["CDS -old"]);
  });
});
