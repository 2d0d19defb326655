import assert from "node:assert/strict";
import { before, type TestContext, test } from "node:test";
import { type BuiltFilter, builtFilter } from "../harness/built-filter.ts";
import { type FilterEnvoy, startFilterEnvoy } from "./filter-envoy.ts";

let filter: BuiltFilter;

before(async () => {
  filter = await builtFilter("filters/header-rules");
});

test("a request with a rewritten path gets the route of its new path", async (t) => {
  const rule = { name: "hidden", rewrite: ":path", pattern: "/v1/{rest}", value: "/unnamed/{rest}" };
  const { request, envoy } = await started(t, { request: [rule] });
  assert.equal((await request("/v1/cart")).status, 404);
  assert.equal((await request("/v2/cart")).status, 200);
  assert.match(await envoy.admin("/stats/prometheus"), /^header_rules_applied\{rule="hidden"\} 1$/m);
});

test("matches, variables and patterns see Envoy's values", async (t) => {
  const { request } = await started(t, {
    request: [
      { set: "x-a", value: "a={header:x-a}" },
      { match: { headers: [{ name: "x-a", exact: "a=1" }] }, set: ":path", value: "/unnamed" },
    ],
    response: [
      { set: "x-asked", value: "{request::method} {request:host} {request::path} {request:x-a}" },
      { set: "x-route", value: "{property:xds.route_name}" },
      { set: "x-number", value: "{property:connection.id}" },
      { set: "x-client", value: "{property:source.address}" },
      { rewrite: "x-client", pattern: "{address}:*", value: "{address}" },
      { rewrite: "content-type", pattern: "text/{kind}", value: "text/{kind}; charset=utf-8" },
      { responseHeaders: [{ name: ":status", prefix: "4" }], set: "x-wrong", value: "{header::status}" },
      { match: { path: "/cart" }, add: "cache-control", value: "no-store" },
    ],
  });
  const found = await request("/cart?x", { headers: { host: "shop", "x-a": "2" } });
  assert.equal(found.status, 200);
  assert.equal(found.headers["x-asked"], "GET shop /cart?x 2");
  assert.equal(found.headers["x-route"], "everything");
  assert.equal(found.headers["x-number"], undefined);
  assert.equal(found.headers["x-client"], "127.0.0.1");
  assert.equal(found.headers["content-type"], "text/plain; charset=utf-8");
  assert.equal(found.headers["x-wrong"], undefined);
  assert.equal(found.headers["cache-control"], "no-store");
  const lost = await request("/", { headers: { host: "shop", "x-a": "1" } });
  assert.equal(lost.headers["x-asked"], "GET shop / 1");
  assert.equal(lost.headers["x-route"], undefined);
  assert.equal(lost.headers["x-wrong"], "404");
  assert.equal(lost.headers["cache-control"], undefined);
});

test("values that are not UTF-8 keep their bytes", async (t) => {
  const { request } = await started(t, {
    response: [
      { set: "x-b", value: "<{request:x-a}>" },
      { copy: "x-b", to: "x-c" },
      { rewrite: "x-c", pattern: "<{a}>", value: "{a}é" },
    ],
  });
  const { headers } = await request("/", { headers: { "x-a": "\xe9\xff\x80" } });
  assert.equal(headers["x-b"], "<\xe9\xff\x80>");
  assert.equal(headers["x-c"], `\xe9\xff\x80${Buffer.from("é").toString("latin1")}`);
});

test("Envoy rejects a configuration with faults, and its log names them", async () => {
  const rejection = await startFilterEnvoy(filter, [{ request: [{ set: "transfer-encoding", value: "a\nb" }] }]).then(
    async (running) => {
      await running.stop();
      return "it was accepted";
    },
    (error: Error) => error.message,
  );
  for (const fault of [
    "request[0].set: transfer-encoding belongs to the connection or the framing",
    "request[0].value: has a control character",
  ]) {
    assert.ok(rejection.includes(`header-rules rejects its configuration: ${fault}`), rejection);
  }
});

async function started(t: TestContext, configuration: unknown): Promise<FilterEnvoy> {
  const running = await startFilterEnvoy(filter, [configuration]);
  t.after(() => running.stop());
  return running;
}
