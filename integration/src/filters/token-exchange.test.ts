import assert from "node:assert/strict";
import http from "node:http";
import { before, type TestContext, test } from "node:test";
import { type BuiltFilter, builtFilter } from "../harness/built-filter.ts";
import { eventually } from "../harness/eventually.ts";
import { listen } from "../harness/listening.ts";
import { echoRequest, type FilterEnvoy, startFilterEnvoy } from "./filter-envoy.ts";

let filter: BuiltFilter;

before(async () => {
  filter = await builtFilter("filters/token-exchange");
});

const configuration = {
  cluster: "auth",
  request: { method: "POST", path: "/exchange", headers: { accept: "application/json" } },
  deadlineMs: 5000,
  set: [
    { name: "authorization", member: "access_token", prefix: "Bearer " },
    { name: "x-user", header: "x-user" },
  ],
};

test("a credential is exchanged once, and the answer is cached", async (t) => {
  const calls: http.IncomingMessage[] = [];
  const { request, envoy } = await started(t, configuration, (call, answer) => {
    calls.push(call);
    grant(answer, `token-${calls.length}`, { expires_in: 3600 });
  });
  // More than Envoy buffers for a stream, so that the client has to wait too.
  const body = "x".repeat(3_000_000);
  const first = await request("/cart", { headers: { authorization: "Basic abc", "x-user": "root" }, body });
  assert.equal(first.seen?.headers["authorization"], "Bearer token-1");
  assert.equal(first.seen.headers["x-user"], "ann");
  assert.equal(first.seen.body.length, body.length);
  const second = await request("/cart", { headers: { authorization: "Basic abc" } });
  assert.equal(second.seen?.headers["authorization"], "Bearer token-1");
  const other = await request("/cart", { headers: { authorization: "Basic xyz" } });
  assert.equal(other.seen?.headers["authorization"], "Bearer token-2");
  assert.equal(calls[0]?.method, "POST");
  assert.equal(calls[0].url, "/exchange");
  assert.equal(calls[0].headers.host, "auth");
  assert.equal(calls[0].headers.accept, "application/json");
  assert.deepEqual(
    calls.map(({ headers }) => headers.authorization),
    ["Basic abc", "Basic xyz"],
  );
  assert.deepEqual(await counted(envoy), { misses: 2, hits: 1 });
});

test("a credential that the service rejects is rejected, for a while without another call", async (t) => {
  let calls = 0;
  const { request, envoy } = await started(t, configuration, (call, answer) => {
    calls++;
    const known = call.headers.authorization === "Bearer known";
    answer.writeHead(known ? 403 : 401, known ? {} : { "www-authenticate": "Bearer realm=auth" }).end();
  });
  for (let round = 0; round < 2; round++) {
    const rejected = await request("/cart", { headers: { authorization: "Bearer bad" } });
    assert.equal(rejected.status, 401);
    assert.equal(rejected.headers["www-authenticate"], "Bearer realm=auth");
    assert.equal(rejected.headers["x-token-exchange-reason"], "the credential was rejected");
    assert.equal(rejected.body, "the credential was rejected\n");
  }
  assert.equal((await request("/cart", { headers: { authorization: "Bearer known" } })).status, 403);
  assert.equal((await request("/cart")).status, 401);
  assert.equal(calls, 2);
  assert.deepEqual(await counted(envoy), { misses: 2, hits: 1, denied: 3, missing: 1 });
});

test("many requests with one credential wait for one call, also when the first client disconnects", async (t) => {
  const calls: http.ServerResponse[] = [];
  const { request, envoy } = await started(t, configuration, (_call, answer) => calls.push(answer));
  const going = new AbortController();
  const gone = assert.rejects(request("/first", { headers: { authorization: "Bearer a" }, signal: going.signal }));
  await eventually(async () => assert.equal(calls.length, 1), "the call");
  const waiting = Array.from({ length: 20 }, () =>
    request("/cart", { headers: { authorization: "Bearer a" }, body: "hello" }),
  );
  await eventually(async () => assert.equal((await counted(envoy))["shared"], 20), "20 requests that wait");
  going.abort();
  await gone;
  await eventually(
    async () => assert.match(envoy.recentLog().join("\n"), /downstream_remote_disconnect \/first$/m),
    "the end of the first request",
  );
  for (const answer of calls) grant(answer, "shared");
  for (const { seen } of await Promise.all(waiting)) {
    assert.equal(seen?.headers["authorization"], "Bearer shared");
    assert.equal(seen.body, "hello");
  }
  assert.equal(calls.length, 1);
});

test("a slow service has until the deadline, and the next request makes a new call", async (t) => {
  let calls = 0;
  const { request, envoy } = await started(t, { ...configuration, deadlineMs: 300 }, (_call, answer) => {
    if (++calls > 1) grant(answer, "late");
  });
  const askedAt = performance.now();
  const slow = await request("/cart", { headers: { authorization: "Bearer a" } });
  const tookMs = performance.now() - askedAt;
  assert.equal(slow.status, 503);
  assert.equal(slow.headers["x-token-exchange-reason"], "the authorisation service did not answer");
  assert.ok(tookMs >= 290, `${tookMs} ms`);
  assert.equal(
    (await request("/cart", { headers: { authorization: "Bearer a" } })).seen?.headers["authorization"],
    "Bearer late",
  );
  assert.deepEqual(await counted(envoy), { misses: 2, timeouts: 1, unanswered: 1 });
});

test("requests are rejected when the service fails or does not exist", async (t) => {
  const { request, envoy } = await started(t, configuration, (call, answer) => {
    if (call.headers.authorization === "Bearer broken") answer.destroy();
    else if (call.headers.authorization === "Bearer empty") answer.end("{}");
    else answer.writeHead(500).end();
  });
  for (const what of ["broken", "empty", "error"]) {
    assert.equal((await request("/cart", { headers: { authorization: `Bearer ${what}` } })).status, 503, what);
  }
  assert.deepEqual(await counted(envoy), { misses: 3, failures: 3, unanswered: 3 });
  // Nothing listens on port 1.
  const nobody = await calling(t, configuration, { auth: 1 });
  assert.equal((await nobody.request("/cart", { headers: { authorization: "Bearer a" } })).status, 503);
  const nowhere = await calling(t, configuration, {});
  assert.equal((await nowhere.request("/cart", { headers: { authorization: "Bearer a" } })).status, 503);
  assert.deepEqual(await counted(nowhere.envoy), { misses: 1, failures: 1, unanswered: 1 });
});

test("with onFailure allow, requests pass when the service fails, without the headers that upstream trusts", async (t) => {
  const { request } = await started(t, { ...configuration, onFailure: "allow" }, (_call, answer) => {
    answer.writeHead(500).end();
  });
  const { seen } = await request("/cart", {
    headers: { authorization: "Bearer forged", "x-user": "root" },
    body: "hello",
  });
  assert.equal(seen?.body, "hello");
  assert.equal(seen.headers["authorization"], undefined);
  assert.equal(seen.headers["x-user"], undefined);
});

async function started(t: TestContext, configured: unknown, service: http.RequestListener): Promise<FilterEnvoy> {
  const auth = await listen(http.createServer(service));
  t.after(auth.close);
  return calling(t, configured, { auth: auth.port });
}

async function calling(t: TestContext, configured: unknown, clusters: Record<string, number>): Promise<FilterEnvoy> {
  const running = await startFilterEnvoy(filter, [configured], { upstream: echoRequest, clusters });
  t.after(running.stop);
  return running;
}

function grant(answer: http.ServerResponse, token: string, more: object = {}): void {
  answer.writeHead(200, { "content-type": "application/json", "x-user": "ann" });
  answer.end(JSON.stringify({ access_token: token, ...more }));
}

/** The filter's counters, by the last parts of their names. */
async function counted(envoy: FilterEnvoy["envoy"]): Promise<Readonly<Record<string, number>>> {
  const stats = await envoy.stats("^wasmcustom.token_exchange");
  return Object.fromEntries([...stats].map(([name, value]) => [name.replace("wasmcustom.token_exchange.", ""), value]));
}
