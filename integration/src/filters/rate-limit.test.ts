import assert from "node:assert/strict";
import { before, type TestContext, test } from "node:test";
import { type BuiltFilter, builtFilter } from "../harness/built-filter.ts";
import type { Reply } from "./exchange.ts";
import { type FilterEnvoy, startFilterEnvoy } from "./filter-envoy.ts";

let filter: BuiltFilter;

before(async () => {
  filter = await builtFilter("filters/rate-limit");
});

const all = { name: "all", tokens: 1, per: "24h", burst: 150 };

test("exactly the burst passes when requests come to two workers at once", async (t) => {
  for (let round = 0; round < 5; round++) {
    const running = await started(t, { limits: [all] });
    const replies = await atOnce(running, 600);
    assert.deepEqual(tally(replies.map(({ status }) => status)), { 200: 150, 429: 450 });
    const counted = await running.envoy.stats("rate_limit");
    assert.equal(counted.get("wasmcustom.rate_limit.passed;rule=all"), 150);
    assert.equal(counted.get("wasmcustom.rate_limit.rejected;rule=all"), 450);
    assert.equal(counted.get("wasmcustom.rate_limit.uncounted;rule=all") ?? 0, 0);
    const byWorker = [...(await running.envoy.stats("worker_[01].downstream_cx_total"))].map(([, count]) => count);
    assert.equal(byWorker.length, 2);
    // The kernel chooses a worker for each connection. When one worker got none, another round is needed.
    if (byWorker.every((count) => count > 0)) return;
  }
  assert.fail("no round used both workers");
});

test("exactly the burst of each key passes when the first requests of many keys come to two workers at once", async (t) => {
  const running = await started(t, { limits: [{ ...all, key: [{ header: "x-key" }], burst: 3 }] });
  const replies = await atOnce(running, 800, (sent) => ({ "x-key": `k${sent % 100}` }));
  assert.deepEqual(tally(replies.map(({ status }) => status)), { 200: 300, 429: 500 });
});

test("tokens are added at their rate, not sooner", async (t) => {
  const running = await started(t, { limits: [{ name: "all", tokens: 200, per: "1s", burst: 10 }] });
  const began = performance.now();
  let passed = 0;
  while (passed < 60) passed += Number((await running.request("/")).status === 200);
  const seconds = (performance.now() - began) / 1000;
  assert.ok(seconds >= 50 / 200, `60 requests passed within ${seconds} s`);
});

test("a client is one IPv4 address or one IPv6 /64, as Envoy sees it", async (t) => {
  const limit = { name: "per-client", key: [{ clientAddress: true }], tokens: 1, per: "24h", burst: 1 };
  const running = await started(t, { limits: [limit] });
  const status = async (from: string) => (await running.request("/", { headers: { "x-forwarded-for": from } })).status;
  assert.equal(await status("192.0.2.1"), 200);
  assert.equal(await status("192.0.2.1"), 429);
  assert.equal(await status("192.0.2.2"), 200);
  assert.equal(await status("2001:db8::1"), 200);
  assert.equal(await status("2001:db8::ffff:1"), 429);
  assert.equal(await status("2001:db8:0:1::1"), 200);
});

test("responses have the tokens that are left, and the time until the next", async (t) => {
  const limit = { name: "per-client", key: [{ clientAddress: true }], tokens: 1, per: "24h", burst: 2 };
  const running = await started(t, { headers: "all", limits: [limit] });
  const first = await running.request("/");
  assert.equal(first.headers["ratelimit-policy"], '"per-client";q=2;w=172800');
  assert.match(String(first.headers["ratelimit"]), /^"per-client";r=1;t=86400$/);
  await running.request("/");
  const { status, headers, body } = await running.request("/");
  assert.equal(status, 429);
  assert.equal(body, "too many requests\n");
  assert.match(String(headers["ratelimit"]), /^"per-client";r=0;t=\d+$/);
  assert.ok(Number(headers["retry-after"]) > 86_300);
  assert.equal(headers["x-envoy-ratelimited"], "true");
  assert.match(await running.envoy.admin("/stats/prometheus"), /^rate_limit_rejected\{rule="per-client"\} 1$/m);
});

async function started(t: TestContext, configuration: unknown): Promise<FilterEnvoy> {
  const running = await startFilterEnvoy(filter, [configuration], { workers: 2 });
  t.after(() => running.stop());
  return running;
}

function atOnce(
  { request }: FilterEnvoy,
  count: number,
  headers: (sent: number) => Record<string, string> = () => ({}),
): Promise<readonly Reply[]> {
  return Promise.all(Array.from({ length: count }, (_, sent) => request("/", { headers: headers(sent) })));
}

function tally(values: readonly number[]): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}
