import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { FilterRejected, type Host, loadFilter, type Request } from "@chancery/filter-testing";

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
  ["a whole path, with any query", { path: "/health?deep=1" }, 200],
  ["one of the methods", { path: "/health", method: "HEAD" }, 200],
  ["another method", { path: "/health", method: "POST" }, 404, "not offered"],
  ["more than the path", { path: "/healthy" }, 404, "not offered"],
  ["the start of a path", { path: "/shop/cart" }, 200],
  ["an earlier rule, before a later one,", { path: "/shop", headers: { "x-debug": "" } }, 403, 'no "debug" here'],
  ["a rule without a reason", { path: "/admin/users" }, 401, "denied by rule admin"],
  ["a header's whole value, in UTF-8", { path: "/other", headers: { "x-api-key": "sésame" } }, 200],
  ["another value", { path: "/other", headers: { "x-api-key": "sesame" } }, 404, "not offered"],
  ["the start of a header", { path: "/shop", headers: { "user-agent": "bot/1" } }, 429, "denied by rule bots"],
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

const matches: readonly [what: string, match: object, matching: readonly Request[], others: readonly Request[]][] = [
  [
    "the end of a path",
    { pathSuffix: ".json" },
    [{ path: "/a.json?x" }],
    [{ path: "/a?b=.json" }, { path: "/.json/a" }],
  ],
  [
    "the end of a header",
    { headers: [{ name: "Host-Of", suffix: ".test" }] },
    [{ headers: { "host-of": ["a", "shop.test"] } }],
    [{ headers: { "host-of": "shop.test.example" } }, {}],
  ],
  [
    "a parameter's value",
    { query: [{ name: "mode", exact: "a b" }] },
    [
      { path: "/?mode=a+b" },
      { path: "/?mode=a%20b" },
      { path: "/?x&mode=a b#c" },
      { path: "/?mode=no&%6dode=%61%20b" },
    ],
    [{ path: "/mode=a+b" }, { path: "/?mode=a%2Bb" }, { path: "/?mode=a+b?" }, { path: "/?Mode=a+b" }],
  ],
  [
    "a value with other characters than ASCII",
    { query: [{ name: "é", exact: "ü=&" }] },
    [{ path: "/?%C3%A9=%c3%bc=%26" }, { path: "/?é=ü=%26" }],
    [{ path: "/?%E9=%FC=%26" }],
  ],
  [
    "a value with an invalid escape",
    { query: [{ name: "q", exact: "100%%4z% %" }] },
    [{ path: "/?q=100%%4z%+%" }, { path: "/?q=100%25%254z%25%20%25" }],
    [{ path: "/?q=100%25" }],
  ],
  [
    "the start and end of a parameter",
    {
      query: [
        { name: "id", prefix: "eu-" },
        { name: "id", suffix: "-9" },
      ],
    },
    [{ path: "/?id=eu-9" }, { path: "/?id=eu-1&id=us-9" }],
    [{ path: "/?id=eu-1" }, { path: "/?id=us-9" }],
  ],
  [
    "a present parameter",
    { query: [{ name: "debug", present: true }] },
    [{ path: "/?debug" }, { path: "/?a&&debug=" }],
    [{ path: "/?debugs=1" }, { path: "/debug" }],
  ],
  [
    "a missing parameter",
    { query: [{ name: "key", present: false }] },
    [{ path: "/" }, { path: "/?keys" }],
    [{ path: "/?a=1&key" }],
  ],
  [
    "a client's whole name",
    { identity: { uri: { exact: "spiffe://shop.test/cart" } } },
    [client("uri", "spiffe://shop.test/cart")],
    [client("uri", "spiffe://shop.test/carts"), {}],
  ],
  [
    "a client's trust domain",
    { identity: { uri: { prefix: "spiffe://shop.test/" } } },
    [client("uri", "spiffe://shop.test/cart")],
    [client("uri", "spiffe://shop.test.example/cart"), client("dns", "spiffe://shop.test/cart"), {}],
  ],
  [
    "the end of a client's DNS name",
    { identity: { dns: { suffix: ".shop.test" } } },
    [client("dns", "cart.shop.test")],
    [client("dns", "shop.test"), {}],
  ],
  [
    "a client's subject",
    { identity: { subject: { exact: "CN=cart,O=Shop" } } },
    [client("subject", "CN=cart,O=Shop")],
    [client("subject", "CN=cart"), client("subject", "")],
  ],
  [
    "any client with a name",
    { identity: { uri: { present: true } } },
    [client("uri", "urn:a")],
    [{}, client("dns", "a")],
  ],
  [
    "a client without a name",
    { identity: { uri: { present: false } } },
    [{}, client("dns", "a")],
    [client("uri", "urn:a")],
  ],
];

for (const [what, match, matching, others] of matches) {
  test(`a rule matches by ${what}`, async () => {
    using host = await loaded({ default: { action: "allow" }, rules: [{ name: "it", match, action: "deny" }] });
    for (const request of matching) assert.equal((await host.request(request)).status, 403, JSON.stringify(request));
    for (const request of others) assert.equal((await host.request(request)).status, 200, JSON.stringify(request));
  });
}

test("a rule in dry run only counts, and the later rules decide", async () => {
  const rules = [
    { name: "trial", match: { pathPrefix: "/shop" }, action: "deny", enforce: false },
    { name: "second-trial", match: { methods: ["GET"] }, action: "deny", enforce: false },
    { name: "shop", match: { pathPrefix: "/shop" }, action: "allow" },
    { name: "admin", match: { pathPrefix: "/admin" }, action: "deny", enforce: true },
  ];
  using host = await loaded({ default: { action: "deny", enforce: false }, rules });
  assert.equal((await host.request({ path: "/shop" })).status, 200);
  assert.equal((await host.request({ path: "/admin", method: "PUT" })).status, 403);
  assert.equal((await host.request({ path: "/other", method: "PUT" })).status, 200);
  assert.deepEqual(host.metrics, {
    "request_policy.would_deny;rule=trial": 1,
    "request_policy.would_deny;rule=second-trial": 1,
    "request_policy.allowed;rule=shop": 1,
    "request_policy.denied;rule=admin": 1,
    "request_policy.would_deny;rule=default": 1,
  });
  assert.deepEqual(host.log, []);
});

test("a policy in dry run lets every request pass, and counts the requests that it would reject", async () => {
  using host = await loaded({ ...policy, enforce: false });
  for (const path of ["/admin/users", "/shop", "/nowhere"]) {
    const reply = await host.request({ path });
    assert.equal(reply.status, 200);
    assert.equal(reply.headers.get("x-policy-reason"), undefined);
  }
  assert.deepEqual(host.metrics, {
    "request_policy.would_deny;rule=admin": 1,
    "request_policy.allowed;rule=shop": 1,
    "request_policy.would_deny;rule=default": 1,
  });
});

test("counts passed and rejected requests by rule, and writes rejections to the access log", async () => {
  using host = await loaded(policy);
  const rejected = await host.request({ path: "/admin/users" });
  await host.request({ path: "/admin/" });
  await host.request({ path: "/shop" });
  await host.request({ path: "/nowhere" });
  assert.equal(rejected.details, "request_policy_denied{admin}");
  assert.deepEqual(host.metrics, {
    "request_policy.denied;rule=admin": 2,
    "request_policy.allowed;rule=shop": 1,
    "request_policy.denied;rule=default": 1,
  });
});

test("a rejection in JSON quotes the reason", async () => {
  using host = await loaded({ ...policy, body: "json" });
  const reply = await host.request({ headers: { "x-debug": "1" } });
  assert.equal(reply.headers.get("content-type"), "application/json");
  assert.deepEqual(JSON.parse(reply.body), { error: "denied", reason: 'no "debug" here' });
});

test("a module has several configurations while one replaces another", async () => {
  using host = await loaded(policy);
  const before = host.start({ path: "/shop", method: "POST" });
  await host.swap({ config: { default: { action: "deny", reason: "closed" }, rules: [] } });
  assert.equal((await host.request({ path: "/shop" })).headers.get("x-policy-reason"), "closed");
  assert.equal(before.end().reply.status, 200);
});

test("rejects a configuration with faults, and reports every fault with its path", async () => {
  const identity = { uri: { prefix: "spiffe://shop.test" }, dns: { exact: "" }, email: {} };
  const bad = {
    default: { action: "forbid" },
    rules: [
      { action: "allow", status: 403, enforce: true },
      { name: "b", match: { identity, query: [{ name: "" }] }, action: "deny" },
    ],
  };
  await assert.rejects(loaded(bad), (error) => {
    assert.ok(error instanceof FilterRejected);
    const log = error.log.map(({ message }) => message.replace("request-policy rejects its configuration: ", ""));
    for (const fault of [
      'default.action: should be one of allow, deny, is "forbid"',
      'rules[0].status: only a rule with "action": "deny" has a status',
      'rules[0].enforce: only a rule with "action": "deny" may have "enforce"',
      'rules[1].match.identity.uri.prefix: should end the trust domain with "/", is "spiffe://shop.test"',
      "rules[1].match.identity.dns.exact: should not be empty",
      "rules[1].match.identity.email: is unknown; known names are uri, dns, subject",
      "rules[1].match.query[0].name: should not be empty",
      "rules[1].match.query[0]: should name one of exact, prefix, suffix, present",
    ]) {
      assert.ok(log.includes(fault), `${fault}\n${log.join("\n")}`);
    }
    return true;
  });
});

test("the shipped configuration is valid", async () => {
  const config = await readFile(new URL("../config.json", import.meta.url), "utf8");
  using host = await loaded(config);
  assert.equal((await host.request({ path: "/internal/x" })).status, 404);
});

/** A request of a client with a name in its certificate. */
function client(kind: "uri" | "dns" | "subject", name: string): Request {
  const property = kind === "subject" ? "subject" : `${kind}_san`;
  return { properties: { [`connection.${property}_peer_certificate`]: name } };
}

function loaded(config: unknown): Promise<Host> {
  return loadFilter(wasm, { config });
}
