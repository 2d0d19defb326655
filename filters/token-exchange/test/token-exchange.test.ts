import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { withFuel } from "@chancery/filter-sdk/fuel";
import {
  type Exchange,
  FilterRejected,
  type Host,
  type HttpCallAnswer,
  loadFilter,
  type Request,
} from "@chancery/filter-testing";

const wasm = new URL("../build/token-exchange.wasm", import.meta.url);

const settings = {
  cluster: "auth",
  request: { method: "POST", path: "/exchange?for=shop", authority: "auth.internal", headers: { "X-Asker": "edge" } },
  deadlineMs: 500,
  set: [
    { name: "authorization", member: "access_token", prefix: "Bearer " },
    { name: "x-user", header: "x-user" },
  ],
};

const withCredential = (credential: string): Request => ({ path: "/cart", headers: { authorization: credential } });
const grant = (token: string, headers: Record<string, string> = {}, more: object = {}): HttpCallAnswer => ({
  headers: { "x-user": "ann", ...headers },
  body: JSON.stringify({ access_token: token, ...more }),
});
const counted = ({ metrics }: Host, name: string): number => metrics[`token_exchange.${name}`] ?? 0;

test("sends the credential to the service, and replaces it by the answer", async () => {
  using host = await loaded(settings);
  const exchange = host.open({
    path: "/cart",
    headers: { authorization: "Basic abc", "x-user": "root" },
    body: ["one", "two"],
  });
  const [call] = host.httpCalls;
  assert.equal(call?.cluster, "auth");
  assert.equal(call.timeoutMs, 500);
  assert.deepEqual(
    [...call.headers],
    [
      [":method", "POST"],
      [":path", "/exchange?for=shop"],
      [":authority", "auth.internal"],
      ["x-asker", "edge"],
      ["authorization", "Basic abc"],
    ],
  );
  assert.equal(exchange.done, false);
  answerAll(host, grant("t1"));
  const { status, upstream } = exchange.reply;
  assert.equal(status, 200);
  assert.equal(upstream?.body, "onetwo");
  const got = [...upstream.headers].filter(([name]) => name === "authorization" || name === "x-user");
  assert.deepEqual(got.sort(), [
    ["authorization", "Bearer t1"],
    ["x-user", "ann"],
  ]);
});

test("removes the credential also when no header replaces it", async () => {
  const config = { ...settings, credential: "X-Session", set: [{ name: "x-user", header: "x-user" }] };
  using host = await loaded(config, grant(""));
  const { upstream } = await host.request({ headers: { "x-session": "s" } });
  assert.equal(upstream?.headers.get("x-session"), undefined);
  assert.equal(upstream?.headers.get("x-user"), "ann");
});

const lifetimes: readonly [what: string, answer: HttpCallAnswer, keptMs: number][] = [
  ["for the configured time", grant("t"), 60_000],
  ["no longer than expires_in says", grant("t", {}, { expires_in: 7 }), 7000],
  ["no longer than configured, when expires_in is longer", grant("t", {}, { expires_in: 3600 }), 60_000],
  ["not at all when expires_in cannot be read", grant("t", {}, { expires_in: "soon" }), 0],
  ["not at all when expires_in is in the past", grant("t", {}, { expires_in: -1 }), 0],
  ["no longer than max-age says", grant("t", { "cache-control": "private, Max-Age=9" }), 9000],
  ["no longer than the shorter of the two", grant("t", { "cache-control": "max-age=9" }, { expires_in: 8 }), 8000],
  ["not at all after no-store", grant("t", { "cache-control": "no-store" }), 0],
  ["not at all after no-cache", grant("t", { "cache-control": "max-age=9, no-cache" }), 0],
  ["not at all when it is very long", grant("t".repeat(5000)), 0],
  ["for a shorter time when it is a rejection", { status: 403 }, 5000],
  [
    "no longer than max-age says when it is a rejection",
    { status: 401, headers: { "cache-control": "max-age=2" } },
    2000,
  ],
];

for (const [what, answer, keptMs] of lifetimes) {
  test(`an answer is cached ${what}`, async () => {
    using host = await loaded(settings, answer);
    const first = await host.request(withCredential("c"));
    if (keptMs > 0) host.advance(keptMs - 1);
    const second = await host.request(withCredential("c"));
    assert.equal(second.status, first.status);
    assert.equal(second.upstream?.headers.get("authorization"), first.upstream?.headers.get("authorization"));
    assert.equal(counted(host, "misses"), keptMs > 0 ? 1 : 2);
    assert.equal(counted(host, "hits"), keptMs > 0 ? 1 : 0);
    host.advance(1);
    await host.request(withCredential("c"));
    assert.equal(counted(host, "misses"), keptMs > 0 ? 2 : 3);
  });
}

test("rejects a request with the service's status and challenge", async () => {
  using host = await loaded(settings, { status: 401, headers: { "www-authenticate": 'Bearer error="invalid_token"' } });
  for (let round = 1; round <= 2; round++) {
    const reply = await host.request(withCredential("c"));
    assert.equal(reply.status, 401);
    assert.equal(reply.headers.get("www-authenticate"), 'Bearer error="invalid_token"');
    assert.equal(reply.headers.get("x-token-exchange-reason"), "the credential was rejected");
    assert.equal(reply.body, "the credential was rejected\n");
    assert.equal(reply.details, "token_exchange_denied{401}");
    assert.equal(reply.upstream, undefined);
    assert.equal(counted(host, "denied"), round);
  }
  host.onHttpCall(() => ({ status: 401 }));
  assert.equal((await host.request(withCredential("d"))).headers.get("www-authenticate"), "Bearer");
  host.onHttpCall(() => ({ status: 403 }));
  const forbidden = await host.request(withCredential("e"));
  assert.equal(forbidden.status, 403);
  assert.equal(forbidden.headers.get("www-authenticate"), undefined);
});

test("rejects a request without a credential, and makes no call", async () => {
  using host = await loaded({ ...settings, body: "json" });
  for (const headers of [{}, { authorization: "" }]) {
    const reply = await host.request({ headers });
    assert.equal(reply.status, 401);
    assert.equal(reply.headers.get("www-authenticate"), "Bearer");
    assert.equal(reply.details, "token_exchange_missing");
    assert.deepEqual(JSON.parse(reply.body), { error: "denied", reason: "a credential is required" });
  }
  assert.deepEqual(host.metrics, { "token_exchange.missing": 2 });
});

test("waits for a slow service until the deadline", async () => {
  using host = await loaded(settings);
  const exchange = host.open(withCredential("c"));
  host.advance(499);
  assert.equal(exchange.done, false);
  host.advance(1);
  assert.equal(exchange.reply.status, 503);
  assert.equal(exchange.reply.headers.get("x-token-exchange-reason"), "the authorisation service did not answer");
  assert.equal(exchange.reply.details, "token_exchange_unanswered");
  const counts = { misses: 1, timeouts: 1, unanswered: 1 };
  assert.deepEqual(
    host.metrics,
    Object.fromEntries(Object.entries(counts).map(([name, count]) => [`token_exchange.${name}`, count])),
  );
  const next = host.open(withCredential("c"));
  answerAll(host, grant("t"));
  assert.equal(next.reply.status, 200);
});

const failures: readonly [what: string, answer: HttpCallAnswer | "fail"][] = [
  ["a broken connection", "fail"],
  ["a server error", { status: 500 }],
  ["a redirect", { status: 302 }],
  ["a body that is not JSON", { ...grant("t"), body: "access_token=t" }],
  ["a body that is not an object", { ...grant("t"), body: '["access_token"]' }],
  ["a member that is missing", { ...grant("t"), body: "{}" }],
  ["a member that is not a string", { ...grant("t"), body: '{"access_token": 1}' }],
  ["a member that is empty", grant("")],
  ["a member with a line break", grant("t\r\nx-admin: 1")],
  ["a body that is too long", grant("t", {}, { more: "x".repeat(16_384) })],
  [
    "a body with too many members",
    {
      ...grant("t"),
      body: `{"access_token":"t"${Array.from({ length: 257 }, (_, index) => `,"${index}":0`).join("")}}`,
    },
  ],
  ["a header that is missing", { body: '{"access_token": "t"}' }],
];

for (const [what, answer] of failures) {
  test(`${what} is a failure: the request is rejected, or passes without the trusted headers, and the next one makes a call`, async () => {
    using denying = await loaded(settings, answer);
    for (let round = 1; round <= 2; round++) {
      assert.equal((await denying.request(withCredential("c"))).status, 503);
      assert.equal(counted(denying, "failures"), round);
    }
    using allowing = await loaded({ ...settings, onFailure: "allow" }, answer);
    const { status, upstream } = await allowing.request({
      headers: { authorization: "Bearer forged", "x-user": "root" },
    });
    assert.equal(status, 200);
    assert.equal(upstream?.headers.get("authorization"), undefined);
    assert.equal(upstream?.headers.get("x-user"), undefined);
    assert.equal(counted(allowing, "unanswered"), 1);
  });
}

test("a missing cluster is a failure", async () => {
  using host = await loadFilter(wasm, { config: settings, clusters: ["others"] });
  assert.equal((await host.request(withCredential("c"))).status, 503);
  assert.deepEqual([counted(host, "failures"), counted(host, "unanswered")], [1, 1]);
});

test("makes one call at a time for a credential, and all waiting requests get its answer", async () => {
  using host = await loaded(settings);
  const same = Array.from({ length: 3 }, () => host.open({ ...withCredential("c"), body: "hello" }));
  const other = host.open(withCredential("d"));
  assert.equal(host.httpCalls.length, 2);
  host.httpCalls[1]?.answer({ status: 403 });
  host.settle();
  assert.equal(other.reply.status, 403);
  answerAll(host, grant("t"));
  for (const exchange of same) {
    assert.equal(exchange.upstream?.headers.get("authorization"), "Bearer t");
    assert.equal(exchange.upstream?.body, "hello");
  }
  assert.deepEqual([counted(host, "misses"), counted(host, "shared"), counted(host, "hits")], [2, 2, 0]);
});

test("a rejection and a failure also apply to all waiting requests", async () => {
  using host = await loaded(settings);
  const open = (): readonly Exchange[] => [host.open(withCredential("c")), host.open(withCredential("c"))];
  const rejected = open();
  answerAll(host, { status: 401 });
  assert.deepEqual(
    rejected.map(({ reply }) => reply.status),
    [401, 401],
  );
  host.advance(5000);
  const late = open();
  host.advance(500);
  assert.deepEqual(
    late.map(({ reply }) => reply.status),
    [503, 503],
  );
  assert.deepEqual([counted(host, "denied"), counted(host, "timeouts"), counted(host, "unanswered")], [2, 1, 2]);
});

test("when a waiting stream ends, the others get their answer, also when it was the first", async () => {
  using host = await loaded({ ...settings, limits: { waiting: 2 } });
  const first = host.open(withCredential("c"));
  const second = host.open(withCredential("c"));
  assert.equal(host.open(withCredential("c")).reply.status, 503);
  first.cancel();
  const third = host.open(withCredential("c"));
  assert.equal(host.open(withCredential("d")).reply.status, 503);
  assert.equal(host.httpCalls.length, 1);
  answerAll(host, grant("t"));
  assert.deepEqual([second.reply.status, third.reply.status], [200, 200]);
  assert.equal(counted(host, "overflows"), 2);
  // Two requests can wait again, and not more.
  const next = [host.open(withCredential("e")), host.open(withCredential("f"))];
  assert.equal(host.open(withCredential("g")).reply.status, 503);
  answerAll(host, grant("t"));
  assert.deepEqual(
    next.map(({ reply }) => reply.status),
    [200, 200],
  );
});

test("caches an answer also when no request waits for it any more", async () => {
  using host = await loaded(settings);
  host.open(withCredential("c")).cancel();
  answerAll(host, grant("t"));
  assert.equal((await host.request(withCredential("c"))).upstream?.headers.get("authorization"), "Bearer t");
  assert.deepEqual([counted(host, "misses"), counted(host, "hits")], [1, 1]);
});

test("limits concurrent calls; a credential with a pending call needs no other call", async () => {
  using host = await loaded({ ...settings, limits: { calls: 1 }, onFailure: "allow" });
  const held = [host.open(withCredential("c")), host.open(withCredential("c"))];
  assert.equal(host.open(withCredential("d")).upstream?.headers.get("authorization"), undefined);
  assert.equal(counted(host, "overflows"), 1);
  answerAll(host, grant("t"));
  assert.deepEqual(
    held.map(({ reply }) => reply.status),
    [200, 200],
  );
});

test("a callback's fuel is enough for the maximum of held streams and the largest answer", async () => {
  const fuelled = withFuel(await readFile(wasm)).wasm;
  const names = Array.from({ length: 16 }, (_, index) => ({ name: `x-${index}`, member: "access_token" }));
  for (const answer of [grantOfMostNames(), "fail"] as const) {
    using host = await loadFilter(fuelled, { config: { ...settings, set: names, onFailure: "allow" } });
    const held = Array.from({ length: 300 }, () => host.open(withCredential("c")));
    assert.equal(counted(host, "shared"), 299);
    assert.equal(host.open(withCredential("c")).done, true);
    assert.equal(counted(host, "overflows"), 1);
    if (answer === "fail") host.httpCalls[0]?.fail();
    else host.httpCalls[0]?.answer(answer);
    host.settle();
    const value = answer === "fail" ? undefined : "t";
    for (const { reply } of held) assert.equal(reply.upstream?.headers.get("x-15"), value);
  }
});

test("limits the number of cached answers, and keeps used ones longer than unused ones", async () => {
  using host = await loaded({ ...settings, cache: { entries: 3 } });
  host.onHttpCall(({ headers }) => grant(`for-${headers.get("authorization")}`));
  const misses = async (...credentials: readonly string[]): Promise<number> => {
    const before = counted(host, "misses");
    for (const credential of credentials) {
      const { upstream } = await host.request(withCredential(credential));
      assert.equal(upstream?.headers.get("authorization"), `Bearer for-${credential}`);
    }
    return counted(host, "misses") - before;
  };
  assert.equal(await misses("a", "b", "c"), 3);
  assert.equal(await misses("a", "c"), 0);
  assert.equal(await misses("d"), 1);
  assert.equal(await misses("a", "c", "d"), 0);
  assert.equal(await misses("b"), 1);
});

test("memory stays flat with thousands of credentials", async () => {
  using host = await loaded({ ...settings, cache: { entries: 50 } }, grant("t".repeat(1000)));
  const come = async (from: number, to: number): Promise<void> => {
    for (let index = from; index < to; index++) await host.request(withCredential(`c${index}`));
  };
  await come(0, 1000);
  const warm = host.memoryBytes;
  await come(1000, 5000);
  assert.equal(host.memoryBytes, warm);
  assert.equal(counted(host, "misses"), 5000);
});

test("never logs a credential", async () => {
  using host = await loadFilter(wasm, { config: settings, logLevel: "trace" });
  for (const answer of [grant("token"), { status: 401 }, { status: 500 }]) {
    const exchange = host.open(withCredential("secret"));
    answerAll(host, answer);
    assert.doesNotMatch(JSON.stringify([exchange.reply.body, [...exchange.reply.headers]]), /secret/);
    host.advance(60_000);
  }
  assert.doesNotMatch(JSON.stringify(host.log), /secret|token"/);
});

test("a request that waits during a change of configuration gets its answer", async () => {
  using host = await loaded(settings);
  const exchange = host.open(withCredential("c"));
  await host.swap({ config: { ...settings, set: [{ name: "x-new", header: "x-user" }] } });
  answerAll(host, grant("t"));
  assert.equal(exchange.upstream?.headers.get("authorization"), "Bearer t");
  const next = host.open(withCredential("c"));
  answerAll(host, grant("t"));
  assert.equal(next.upstream?.headers.get("x-new"), "ann");
});

test("each worker makes its own calls", async () => {
  using host = await loadFilter(wasm, { config: settings, workers: 2 });
  host.onHttpCall(() => grant("t"));
  for (let round = 0; round < 4; round++) await host.request(withCredential("c"));
  assert.deepEqual([counted(host, "misses"), counted(host, "hits")], [2, 2]);
});

test("rejects a configuration with faults, and reports every fault with its path", async () => {
  const bad = {
    cluster: "",
    request: { method: "PUT", path: "exchange", headers: { ":path": "/x", Authorization: "a", "x-n": 1 } },
    deadlineMs: 0,
    set: [{ name: "x-a", member: "a", header: "b" }, { name: "X-A", member: "a" }, { name: "a b" }],
    cache: { seconds: -1, deniedSeconds: 3601, entries: 0 },
    limits: { calls: 0 },
    onFailure: "shrug",
    retries: 3,
  };
  await assert.rejects(loaded(bad), (error) => {
    assert.ok(error instanceof FilterRejected);
    const log = error.log.map(({ message }) => message.replace("token-exchange rejects its configuration: ", ""));
    assert.deepEqual(log, [
      "retries: is unknown; known names are cluster, request, credential, deadlineMs, set, cache, limits, onFailure, body",
      "cluster: should be 1 to 256 printable ASCII characters",
      "deadlineMs: should be a whole number from 1 to 60000, is 0",
      'request.method: should be one of GET, POST, is "PUT"',
      'request.path: should start with "/", is "exchange"',
      "request.headers.:path: has a name that should be 1 to 64 letters, digits, - or _",
      "request.headers.Authorization: is the credential's header",
      "request.headers.x-n: should be a string, is a number",
      "set[0]: should name one of member, header",
      'set[1].name: "x-a" is set twice',
      "set[2].name: should be 1 to 64 letters, digits, - or _",
      "set[2]: should name one of member, header",
      "cache.seconds: should be a whole number from 0 to 86400, is -1",
      "cache.deniedSeconds: should be a whole number from 0 to 3600, is 3601",
      "cache.entries: should be a whole number from 1 to 2000, is 0",
      "limits.calls: should be a whole number from 1 to 10000, is 0",
      'onFailure: should be one of deny, allow, is "shrug"',
    ]);
    return true;
  });
});

test("the shipped configuration is valid", async () => {
  const config = await readFile(new URL("../config.json", import.meta.url), "utf8");
  using host = await loaded(config, { body: '{"access_token": "t"}' });
  assert.equal((await host.request(withCredential("c"))).upstream?.headers.get("authorization"), "Bearer t");
});

/** The largest body with the most members. Each name is compared with all names before it. */
function grantOfMostNames(): HttpCallAnswer {
  const members = Array.from({ length: 256 }, (_, index) => `,"${"n".repeat(55)}${index + 100}":0`);
  const body = `{"access_token":"t"${members.join("")}}`;
  return { body: body + " ".repeat(16_384 - body.length) };
}

function answerAll(host: Host, answer: HttpCallAnswer): void {
  for (const call of host.httpCalls) call.answer(answer);
  host.settle();
}

/** Without `answer`, calls wait until the test answers them. */
async function loaded(config: unknown, answer?: HttpCallAnswer | "fail"): Promise<Host> {
  const host = await loadFilter(wasm, { config });
  if (answer !== undefined) host.onHttpCall(() => answer);
  return host;
}
