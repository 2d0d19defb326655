import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { FilterRefused, type Host, loadFilter, type Request } from "@chancery/filter-testing";

const wasm = new URL("../build/request-policy.wasm", import.meta.url);

const policy = {
  default: { action: "deny", status: 404, reason: "not offered" },
  rules: [
    {
      name: "no-debug",
      match: { headers: [{ name: "X-Debug", present: true }] },
      action: "deny",
      reason: 'no "debug" here',
    },
    { name: "admin", match: { pathPrefix: "/admin/" }, action: "deny", status: 401 },
    { name: "health", match: { path: "/health", methods: ["GET", "HEAD"] }, action: "allow" },
    { name: "key", match: { headers: [{ name: "x-api-key", exact: "sésame" }] }, action: "allow" },
    { name: "bots", match: { headers: [{ name: "user-agent", prefix: "bot/" }] }, action: "deny", status: 429 },
    { name: "shop", match: { pathPrefix: "/shop" }, action: "allow" },
  ],
};

const cases: readonly [what: string, request: Request, status: number, reason?: string][] = [
  ["a whole path, whatever its query", { path: "/health?deep=1" }, 200],
  ["one of the methods", { path: "/health", method: "HEAD" }, 200],
  ["another method", { path: "/health", method: "POST" }, 404, "not offered"],
  ["more than the path", { path: "/healthy" }, 404, "not offered"],
  ["how a path begins", { path: "/shop/cart" }, 200],
  ["an earlier rule before a later", { path: "/shop", headers: { "x-debug": "" } }, 403, 'no "debug" here'],
  ["a rule without a reason", { path: "/admin/users" }, 401, "denied by rule admin"],
  ["a header's whole value, in UTF-8", { path: "/other", headers: { "x-api-key": "sésame" } }, 200],
  ["another value", { path: "/other", headers: { "x-api-key": "sesame" } }, 404, "not offered"],
  ["how a header begins", { path: "/shop", headers: { "user-agent": "bot/1" } }, 429, "denied by rule bots"],
  ["a second value of a header", { path: "/other", headers: { "x-api-key": ["no", "sésame"] } }, 200],
];

for (const [what, request, status, reason] of cases) {
  test(`${what} decides: ${request.method ?? "GET"} ${request.path} is ${status}`, async () => {
    using host = await loaded(policy);
    const reply = await host.request(request);
    assert.equal(reply.status, status);
    assert.equal(reply.headers.get("x-policy-reason"), reason);
    assert.equal(reply.upstream === undefined, reason !== undefined);
    if (reason !== undefined) assert.equal(reply.body, `${reason}\n`);
  });
}

test("refusals and passes are counted by rule, and told to the access log", async () => {
  using host = await loaded(policy);
  const refused = await host.request({ path: "/admin/users" });
  await host.request({ path: "/admin/" });
  await host.request({ path: "/shop" });
  await host.request({ path: "/nowhere" });
  assert.equal(refused.details, "request_policy_denied{admin}");
  assert.deepEqual(host.metrics, {
    "request_policy.denied;rule=admin": 2,
    "request_policy.allowed;rule=shop": 1,
    "request_policy.denied;rule=default": 1,
  });
});

test("an answer in JSON quotes the reason", async () => {
  using host = await loaded({ ...policy, body: "json" });
  const reply = await host.request({ headers: { "x-debug": "1" } });
  assert.equal(reply.headers.get("content-type"), "application/json");
  assert.deepEqual(JSON.parse(reply.body), { error: "denied", reason: 'no "debug" here' });
});

test("one module holds several configurations while one takes the other's place", async () => {
  using host = await loaded(policy);
  const before = host.start({ path: "/shop", method: "POST" });
  await host.swap({ config: { default: { action: "deny", reason: "closed" }, rules: [] } });
  assert.equal((await host.request({ path: "/shop" })).headers.get("x-policy-reason"), "closed");
  assert.equal(before.end().reply.status, 200);
});

test("a configuration with faults is refused, and every fault told with its path", async () => {
  const bad = { default: { action: "forbid" }, rules: [{ action: "allow", status: 403 }] };
  await assert.rejects(loaded(bad), (error) => {
    assert.ok(error instanceof FilterRefused);
    const log = error.log.map(({ message }) => message.replace("request-policy refuses its configuration: ", ""));
    assert.ok(log.includes('default.action: should be one of allow, deny, is "forbid"'), log.join("\n"));
    assert.ok(log.includes('rules[0].status: only a rule with "action": "deny" has a status'), log.join("\n"));
    return true;
  });
});

test("the configuration that it ships with is a good one", async () => {
  const config = await readFile(new URL("../config.json", import.meta.url), "utf8");
  using host = await loaded(config);
  assert.equal((await host.request({ path: "/internal/x" })).status, 404);
});

function loaded(config: unknown): Promise<Host> {
  return loadFilter(wasm, { config });
}
