import assert from "node:assert/strict";
import { before, type TestContext, test } from "node:test";
import {
  type BuiltFilter,
  builtFilter,
  eventually,
  type FilterEnvoy,
  namedRoute,
  startFilterEnvoy,
  virtualHost,
} from "./filter-envoy.ts";
import { residentKiB } from "./resident-memory.ts";

let policy: BuiltFilter;
let telemetry: BuiltFilter;

before(async () => {
  policy = await builtFilter("filters/request-policy");
  telemetry = await builtFilter("filters/request-telemetry");
});

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

test("request-policy answers in JSON where it is told to", async (t) => {
  const { request } = await started(t, policy, { ...rules, body: "json" });
  const reply = await request("/x", { headers: { "x-debug": "1" } });
  assert.equal(reply.headers["content-type"], "application/json");
  assert.deepEqual(JSON.parse(reply.body), { error: "denied", reason: 'no "debug" here' });
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

test("a filter refuses a bad configuration, and its log says what and where", async () => {
  const bad = {
    default: { action: "forbid" },
    rules: [
      { name: "a b", match: { paths: ["/"], path: "x" }, action: "deny", status: 200 },
      { action: "allow", status: 403 },
    ],
  };
  const refusal = await startFilterEnvoy(policy, bad).then(
    async (running) => {
      await running.stop();
      return "it was taken";
    },
    (error: Error) => error.message,
  );
  for (const fault of [
    'default.action: should be one of allow, deny, is "forbid"',
    "rules[0].name: should be 1 to 64 letters, digits, - or _",
    "rules[0].match.paths: is not known here; known are path, pathPrefix, methods, headers",
    'rules[0].match.path: should start with "/", is "x"',
    "rules[0].status: should be a whole number from 400 to 599, is 200",
    "rules[1].name: should be a string, is missing",
    'rules[1].status: only a rule with "action": "deny" has a status',
  ]) {
    assert.ok(refusal.includes(`request-policy refuses its configuration: ${fault}`), `${fault}\n${refusal}`);
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
  });
});

test("request-telemetry counts under other values once it has as many series as it may", async (t) => {
  const { request, envoy } = await started(t, telemetry, { maxSeries: 2 });
  for (const path of ["/cart", "/unnamed", "/cart"]) await request(path);
  await eventually(async () => {
    const counted = await envoy.stats("request_telemetry.requests");
    assert.equal(counted.get(`wasmcustom.request_telemetry.requests;route=${namedRoute};status=2xx`), 2);
    assert.equal(counted.get("wasmcustom.request_telemetry.requests;route=other;status=other"), 1);
  });
});

test("the library reads and writes headers, bodies, properties and gauges", async (t) => {
  const { request, envoy } = await started(t, await builtFilter("integration/testdata/probe-filter"), {});
  const reply = await request("/", { headers: { "x-gone": "1" } });
  assert.equal(reply.headers["x-seen"], "both 1 new false kept GET");
  assert.equal(reply.headers["content-type"], "text/plain");
  assert.equal(reply.body, "<served>");
  await eventually(async () => assert.equal((await envoy.stats("probe.streams")).get("wasmcustom.probe.streams"), 0));
});

test("a filter that traps says file and line", async (t) => {
  const { request, envoy } = await started(t, await builtFilter("integration/testdata/probe-filter"), {});
  assert.equal((await request("/", { headers: { "x-trap": "1" } })).status, 503);
  await eventually(async () =>
    assert.match(envoy.recentLog().join("\n"), /filter trapped: as asked at assembly\/index\.ts:36:\d+/),
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
  const running = await startFilterEnvoy(filter, ...configurations);
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
