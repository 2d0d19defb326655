import assert from "node:assert/strict";
import { text } from "node:stream/consumers";
import { before, type TestContext, test } from "node:test";
import { type BuiltFilter, builtFilter } from "../harness/built-filter.ts";
import { type FilterEnvoy, startFilterEnvoy } from "./filter-envoy.ts";

let filter: BuiltFilter;

before(async () => {
  filter = await builtFilter("filters/body-guard");
});

const shape = { type: "object", required: ["n"], properties: { n: { type: "integer" } } };
const configuration = {
  rules: [
    {
      name: "orders",
      match: { pathPrefix: "/orders" },
      maxBytes: 1_000_000,
      json: { maxStringLength: 1_000_000, shape },
    },
    { name: "trial", match: { path: "/trial" }, dryRun: true, maxBytes: 1_000_000, json: { shape } },
    { name: "files", maxBytes: 100_000 },
  ],
};
const json = { "content-type": "application/json" };
const large = `{"n":1,"s":"${"é".repeat(400_000)}"}`;

test("body-guard holds JSON back until all of it is checked, and then forwards it unchanged", async (t) => {
  const { request, envoy, seen } = await started(t);
  for (const body of [['{"n":1}'], ['{"n"', ":", "1}"], [Buffer.from(large)]]) {
    const whole = body.map((piece) => Buffer.from(piece).toString()).join("");
    const reply = await request("/orders", { headers: json, body });
    assert.equal(reply.status, 200);
    assert.equal(reply.body, whole);
  }
  assert.equal((await request("/orders")).status, 200);
  assert.equal(seen.length, 4);
  const counted = await envoy.stats("body_guard");
  assert.equal(counted.get("wasmcustom.body_guard.passed;rule=orders"), 4);
});

test("body-guard answers bad requests itself, and upstream gets nothing of them", async (t) => {
  const { request, envoy, seen } = await started(t);
  const rejected: readonly [body: readonly string[], headers: object, status: number, reason: string][] = [
    [['{"n":', "1.5}"], json, 422, "n: should be integer"],
    [["{", '"n":1,,'], json, 400, "at byte 7: a name in double quotes is expected"],
    [['{"n":1,"n":2}'], json, 422, "a name appears twice"],
    [['{"n":1}'], {}, 415, "this content type is not accepted"],
    [['{"n":1}'], { ...json, "content-encoding": "gzip" }, 415, "the body must not have a content coding"],
    [["["], { ...json, "content-length": "1000001" }, 413, "the body is too large"],
  ];
  for (const [body, headers, status, reason] of rejected) {
    const reply = await request("/orders", { headers: { ...headers }, body });
    assert.equal(reply.status, status, reason);
    assert.equal(reply.body, `${reason}\n`);
  }
  assert.equal(seen.length, 0);
  const counted = await envoy.stats("body_guard");
  assert.equal(counted.get("wasmcustom.body_guard.rejected;rule=orders;reason=shape"), 1);
  assert.equal(counted.get("wasmcustom.body_guard.rejected;rule=orders;reason=content-type"), 1);
});

test("body-guard ends a body that grows too large, and streams others", async (t) => {
  const { request } = await started(t, 16_384);
  const piece = "x".repeat(10_000);
  const cut = await request("/files", { body: Array.from({ length: 11 }, () => piece) });
  assert.equal(cut.status, 413);
  assert.equal(cut.headers["x-body-guard-reason"], "too-large");
  assert.equal((await request("/files", { body: Array.from({ length: 10 }, () => piece) })).body.length, 100_000);
});

test("Envoy itself answers 413 when the JSON to hold back is larger than Envoy's buffer", async (t) => {
  const { request } = await started(t, 16_384);
  const reply = await request("/orders", { headers: json, body: [`{"n":1,"s":"${"x".repeat(100_000)}"}`] });
  assert.equal(reply.status, 413);
  assert.equal(reply.headers["x-body-guard-reason"], undefined);
});

test("in a dry run body-guard counts, and passes bodies that are larger than Envoy's buffer", async (t) => {
  const { request, envoy } = await started(t, 16_384);
  const body = [`{"n":"${"x".repeat(30_000)}"`, "}"];
  assert.equal((await request("/trial", { headers: json, body })).body.length, 30_008);
  const counted = await envoy.stats("body_guard");
  assert.equal(counted.get("wasmcustom.body_guard.would_reject;rule=trial;reason=shape"), 1);
});

/** Upstream answers with the body that it receives. `seen` has the paths of its requests. */
async function started(t: TestContext, bufferLimit?: number): Promise<FilterEnvoy & { readonly seen: string[] }> {
  const seen: string[] = [];
  const running = await startFilterEnvoy(filter, [configuration], {
    holdsHeaders: true,
    ...(bufferLimit !== undefined && { bufferLimit }),
    upstream: async (request, response) => {
      seen.push(request.url ?? "");
      request.on("error", () => {});
      response.end(await text(request).catch(() => ""));
    },
  });
  t.after(() => running.stop());
  return { ...running, seen };
}
