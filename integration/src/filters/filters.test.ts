import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, type TestContext, test } from "node:test";
import { type BuiltFilter, builtFilter } from "../harness/built-filter.ts";
import { Authority, type Certificate } from "../harness/certificates.ts";
import { eventually } from "../harness/eventually.ts";
import { residentKiB } from "../harness/resident-memory.ts";
import { type FilterEnvoy, type FilterTls, namedRoute, startFilterEnvoy, virtualHost } from "./filter-envoy.ts";

let policy: BuiltFilter;
let telemetry: BuiltFilter;
let folder: string;
let tls: FilterTls;
let clients: Record<"cart" | "mole" | "old", Certificate>;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "chancery-filters-"));
  const authority = new Authority(join(folder, "authority"));
  tls = { authority, server: authority.issue("server", "IP:127.0.0.1") };
  clients = {
    cart: authority.issue("cart", "URI:spiffe://shop.test/cart,URI:spiffe://other.test/cart,DNS:cart.shop.test"),
    mole: authority.issue("mole", "URI:spiffe://shop.test.example/mole"),
    old: authority.issue("old", "DNS:old.shop.test"),
  };
  policy = await builtFilter("filters/request-policy");
  telemetry = await builtFilter("filters/request-telemetry");
});

after(() => rm(folder, { recursive: true, force: true }));

const rules = {
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
    {
      name: "bots",
      match: { headers: [{ name: "user-agent", prefix: "bot/" }] },
      action: "deny",
      status: 429,
      reason: "slow",
    },
    { name: "no-agent", match: { headers: [{ name: "user-agent", present: false }] }, action: "deny", status: 400 },
    { name: "shop", match: { pathPrefix: "/shop" }, action: "allow" },
  ],
};

test("request-policy decides by the first rule that matches, and gives the reason", async (t) => {
  const { request, envoy } = await started(t, policy, rules);
  const agent = { "user-agent": "curl" };
  const cases: readonly [path: string, options: Parameters<typeof request>[1], status: number, reason?: string][] = [
    ["/health", { headers: agent }, 200],
    ["/health?deep=1", { headers: agent, method: "HEAD" }, 200],
    ["/health", { headers: agent, method: "POST" }, 404, "not offered"],
    ["/healthy", { headers: agent }, 404, "not offered"],
    ["/health", { headers: { ...agent, "x-debug": "" } }, 403, 'no "debug" here'],
    ["/admin/users", { headers: agent }, 401, "denied by rule admin"],
    ["/shop/../admin/users", { headers: agent }, 401, "denied by rule admin"],
    ["/shop/cart", { headers: agent }, 200],
    ["/shop/cart", { headers: { "user-agent": "bot/1" } }, 429, "slow"],
    ["/shop/cart", {}, 400, "denied by rule no-agent"],
    ["/other", { headers: { ...agent, "x-api-key": Buffer.from("sésame").toString("latin1") } }, 200],
    ["/other", { headers: { ...agent, "x-api-key": "sesame" } }, 404, "not offered"],
  ];
  for (const [path, options, status, reason] of cases) {
    const reply = await request(path, options);
    assert.equal(reply.status, status, path);
    assert.equal(reply.headers["x-policy-reason"], reason, path);
    if (reason !== undefined) assert.equal(reply.body, `${reason}\n`);
  }
  const counted = await envoy.stats("request_policy");
  assert.equal(counted.get("wasmcustom.request_policy.denied;rule=default"), 3);
  assert.equal(counted.get("wasmcustom.request_policy.denied;rule=admin"), 2);
  assert.equal(counted.get("wasmcustom.request_policy.allowed;rule=health"), 2);
});

test("request-policy answers in JSON when it is configured to", async (t) => {
  const { request } = await started(t, policy, { ...rules, body: "json" });
  const reply = await request("/x", { headers: { "x-debug": "1" } });
  assert.equal(reply.headers["content-type"], "application/json");
  assert.deepEqual(JSON.parse(reply.body), { error: "denied", reason: 'no "debug" here' });
});

test("request-policy decides by the names in the client's certificate", async (t) => {
  const names = {
    default: { action: "deny", reason: "not one of us" },
    rules: [
      { name: "nobody", match: { identity: { subject: { present: false } } }, action: "deny", status: 401 },
      { name: "second", match: { identity: { uri: { prefix: "spiffe://other.test/" } } }, action: "deny", status: 409 },
      { name: "ours", match: { identity: { uri: { prefix: "spiffe://shop.test/" } } }, action: "allow" },
      {
        name: "old",
        match: { identity: { dns: { exact: "old.shop.test" }, subject: { exact: "CN=old" }, uri: { present: false } } },
        action: "allow",
      },
    ],
  };
  const running = await startFilterEnvoy(policy, [names], { tls });
  t.after(() => running.stop());
  assert.equal((await running.request("/", { client: clients.cart })).status, 200);
  assert.equal((await running.request("/", { client: clients.old })).status, 200);
  assert.equal((await running.request("/", { client: clients.mole })).headers["x-policy-reason"], "not one of us");
  assert.equal((await running.request("/")).status, 401);
});

test("request-policy decides by parameters of the query, after unescaping", async (t) => {
  const query = [{ name: "mode", exact: "é a" }];
  const { request } = await started(t, policy, {
    default: { action: "allow" },
    rules: [{ name: "mode", match: { query }, action: "deny" }],
  });
  for (const path of ["/?mode=%C3%A9+a", "/?x=1&m%6Fde=1&mode=%c3%a9%20a"])
    assert.equal((await request(path)).status, 403, path);
  for (const path of ["/", "/mode=%C3%A9+a", "/?mode=%E9+a", "/?mode=%"])
    assert.equal((await request(path)).status, 200, path);
});

test("request-policy in dry run counts what it would have rejected", async (t) => {
  const { request, envoy } = await started(t, policy, { ...rules, enforce: false });
  assert.equal((await request("/admin/users", { headers: { "user-agent": "curl" } })).status, 200);
  assert.equal((await request("/shop/cart", { headers: { "user-agent": "bot/1" } })).status, 200);
  const prometheus = await envoy.admin("/stats/prometheus");
  assert.match(prometheus, /^request_policy_would_deny\{rule="admin"\} 1$/m);
  assert.match(prometheus, /^request_policy_would_deny\{rule="bots"\} 1$/m);
  assert.doesNotMatch(prometheus, /^request_policy_denied/m);
});

test("request-policy gives its rules to Prometheus as a tag", async (t) => {
  const { request, envoy } = await started(t, policy, rules);
  await request("/admin/users", { headers: { "user-agent": "curl" } });
  assert.match(await envoy.admin("/stats/prometheus"), /^request_policy_denied\{rule="admin"\} 1$/m);
});

test("one VM serves several configurations, each to its own listener", async (t) => {
  const only = (reason: string) => ({ default: { action: "deny", reason }, rules: [] });
  const { request } = await started(t, policy, only("first"), only("second"));
  for (let round = 0; round < 3; round++) {
    assert.equal((await request("/", { listener: 0 })).headers["x-policy-reason"], "first");
    assert.equal((await request("/", { listener: 1 })).headers["x-policy-reason"], "second");
  }
});

test("a filter rejects a bad configuration, and its log has each fault with its path", async () => {
  const bad = {
    default: { action: "forbid" },
    rules: [
      { name: "a b", match: { paths: ["/"], path: "x" }, action: "deny", status: 200 },
      { action: "allow", status: 403 },
    ],
  };
  const rejection = await startFilterEnvoy(policy, [bad]).then(
    async (running) => {
      await running.stop();
      return "it was accepted";
    },
    (error: Error) => error.message,
  );
  for (const fault of [
    'default.action: should be one of allow, deny, is "forbid"',
    "rules[0].name: should be 1 to 64 letters, digits, - or _",
    "rules[0].match.paths: is unknown; known names are path, pathPrefix, pathSuffix, methods, headers, query, identity",
    'rules[0].match.path: should start with "/", is "x"',
    "rules[0].status: should be a whole number from 400 to 599, is 200",
    "rules[1].name: should be a string, is missing",
    'rules[1].status: only a rule with "action": "deny" has a status',
  ]) {
    assert.ok(rejection.includes(`request-policy rejects its configuration: ${fault}`), `${fault}\n${rejection}`);
  }
});

test("request-telemetry counts and measures by route and status class", async (t) => {
  const { request, envoy } = await started(t, telemetry, {});
  for (let count = 0; count < 3; count++) await request("/cart");
  await request("/unnamed");
  const series = async (name: string, route: string, status: string): Promise<string | undefined> => {
    const pattern = new RegExp(`^${name}\\{route="${route}",status="${status}"\\} (\\d+)$`, "m");
    return pattern.exec(await envoy.admin("/stats/prometheus"))?.[1];
  };
  await eventually(async () => {
    assert.equal(await series("request_telemetry_requests", namedRoute, "2xx"), "3");
    assert.equal(await series("request_telemetry_requests", virtualHost, "4xx"), "1");
    assert.equal(await series("request_telemetry_latency_ms_count", namedRoute, "2xx"), "3");
  }, "metrics of all requests");
});

test("request-telemetry measures bytes, and counts peers apart by their certificate", async (t) => {
  const running = await startFilterEnvoy(telemetry, [{ tags: ["peer", "status"], sizes: true }], { tls });
  t.after(() => running.stop());
  const { request, envoy } = running;
  await request("/cart", { client: clients.cart });
  await request("/cart", { client: clients.cart, headers: { "x-large": "x".repeat(20_000) } });
  await request("/cart");
  await eventually(async () => {
    const text = await envoy.admin("/stats/prometheus");
    const value = (name: string, peer: string) => {
      return Number(new RegExp(`^${name}\\{status="2xx",peer="${peer}"\\} (\\d+)`, "m").exec(text)?.[1]);
    };
    const cart = "spiffe://shop.test/cart";
    assert.equal(value("request_telemetry_requests", cart), 2, text.match(/request_telemetry_requests.*/g)?.join("\n"));
    assert.equal(value("request_telemetry_requests", "none"), 1);
    const requestBytes = value("request_telemetry_request_bytes_sum", cart);
    // Envoy rounds the values of a histogram by a few percent.
    assert.ok(requestBytes > 19_500 && requestBytes < 21_500, `${requestBytes} bytes`);
    const responseBytes = value("request_telemetry_response_bytes_sum", "none");
    assert.ok(responseBytes > "served".length && responseBytes < 300, `${responseBytes} bytes`);
    assert.equal(value("request_telemetry_response_bytes_count", cart), 2);
  }, "metrics of all requests");
});

test("request-telemetry counts as other once it has the maximum number of series", async (t) => {
  const { request, envoy } = await started(t, telemetry, { maxSeries: 2 });
  for (const path of ["/cart", "/unnamed", "/cart"]) await request(path);
  await eventually(async () => {
    const counted = await envoy.stats("request_telemetry.requests");
    assert.equal(counted.get(`wasmcustom.request_telemetry.requests;route=${namedRoute};status=2xx`), 2);
    assert.equal(counted.get("wasmcustom.request_telemetry.requests;route=other;status=other"), 1);
  }, "metrics of all requests");
});

test("the library reads and writes headers, bodies, properties and gauges", async (t) => {
  const { request, envoy } = await started(t, await builtFilter("integration/testdata/probe-filter"), {});
  const reply = await request("/", { headers: { "x-gone": "1" } });
  assert.equal(reply.headers["x-seen"], "both 1 new false kept GET");
  assert.equal(reply.headers["content-type"], "text/plain");
  assert.equal(reply.body, "<served>");
  await eventually(
    async () => assert.equal((await envoy.stats("probe.streams")).get("wasmcustom.probe.streams"), 0),
    "the end of the stream",
  );
});

test("the log of a trap has the file and the line", async (t) => {
  const { request, envoy } = await started(t, await builtFilter("integration/testdata/probe-filter"), {});
  assert.equal((await request("/", { headers: { "x-trap": "1" } })).status, 503);
  await eventually(
    async () => assert.match(envoy.recentLog().join("\n"), /filter trapped: as asked at assembly\/index\.ts:36:\d+/),
    "the trap in the log",
  );
});

test("the filters' memory stays flat over 20,000 requests", async (t) => {
  for (const [filter, configuration] of [
    [policy, rules],
    [telemetry, {}],
  ] as const) {
    const running = await started(t, filter, configuration);
    await load(running, 4000);
    const warm = await residentKiB(running.envoy.pid);
    await load(running, 20_000);
    const grown = (await residentKiB(running.envoy.pid)) - warm;
    assert.ok(grown < 3072, `${filter.name}: ${grown} KiB more after 20,000 requests`);
  }
});

async function started(t: TestContext, filter: BuiltFilter, ...configurations: unknown[]): Promise<FilterEnvoy> {
  const running = await startFilterEnvoy(filter, configurations);
  t.after(() => running.stop());
  return running;
}

async function load({ request }: FilterEnvoy, requests: number): Promise<void> {
  let left = requests;
  const client = async (): Promise<void> => {
    while (left-- > 0) await request("/shop/cart", { headers: { "user-agent": "load" } });
  };
  await Promise.all(Array.from({ length: 16 }, client));
}
