import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { type FilterOptions, FilterRejected, type Host, loadFilter } from "@chancery/filter-testing";

const wasm = new URL("../build/request-telemetry.wasm", import.meta.url);
const cart = { properties: { "xds.route_name": "cart" } };

test("counts requests by route and status class", async () => {
  using host = await loaded();
  await host.request(cart);
  await host.request({ ...cart, upstream: () => ({ status: 201 }) });
  await host.request({ ...cart, upstream: () => ({ status: 503 }) });
  assert.deepEqual(host.metrics, {
    "request_telemetry.requests;route=cart;status=2xx": 2,
    "request_telemetry.requests;route=cart;status=5xx": 1,
  });
});

test("uses the virtual host's name for a route without a name", async () => {
  using host = await loaded();
  await host.request({ properties: { "xds.virtual_host_name": "shop" } });
  assert.deepEqual(Object.keys(host.metrics), ["request_telemetry.requests;route=shop;status=2xx"]);
});

test("the latency is the time from the request to the end of its answer", async () => {
  using host = await loaded();
  const exchange = host.start({ ...cart, method: "POST" });
  host.advance(120);
  exchange.send("one");
  host.advance(30);
  exchange.end();
  assert.equal(exchange.reply.status, 200);
  assert.deepEqual(host.histogram("request_telemetry.latency_ms;route=cart;status=2xx"), [150]);
});

test("counts a request that the client cancels without a status", async () => {
  using host = await loaded();
  host.start({ ...cart, method: "POST" }).cancel();
  assert.deepEqual(host.metrics, { "request_telemetry.requests;route=cart;status=none": 1 });
});

test("counts under other when it has the maximum of series", async () => {
  using host = await loaded({ maxSeries: 2 });
  for (const route of ["a", "b", "c", "d", "a"]) await host.request({ properties: { "xds.route_name": route } });
  const counted = Object.values(host.metrics).reduce((sum, count) => sum + count, 0);
  assert.equal(counted, 5);
  assert.equal(host.metrics["request_telemetry.requests;route=a;status=2xx"], 2);
  assert.ok(Object.keys(host.metrics).includes("request_telemetry.requests;route=other;status=other"));
  assert.ok(Object.keys(host.metrics).length <= 3);
});

test("sizes include headers and bodies", async () => {
  using host = await loaded({ sizes: true, tags: ["status"] });
  const small = await host.request({ path: "/", upstream: () => ({ body: "" }) });
  await host.request({ path: "/", method: "GET", body: "x".repeat(500), upstream: () => ({ body: "y".repeat(700) }) });
  assert.equal(small.status, 200);
  const [bare = 0, filled = 0] = host.histogram("request_telemetry.request_bytes;status=2xx") ?? [];
  assert.ok(bare > 0 && bare < 200, `${bare} bytes`);
  assert.equal(filled - bare, 500);
  const [empty = 0, full = 0] = host.histogram("request_telemetry.response_bytes;status=2xx") ?? [];
  assert.equal(full - empty, 700);
});

test("measures no sizes unless configured", async () => {
  using host = await loaded();
  await host.request(cart);
  assert.deepEqual(host.histogram("request_telemetry.request_bytes;route=cart;status=2xx"), []);
});

test("distinguishes peers by the URI in their certificate when that tag is used", async () => {
  using host = await loaded({ tags: ["peer", "route"] });
  const peer = { "connection.uri_san_peer_certificate": "spiffe://shop.test/cart" };
  await host.request({ properties: { ...cart.properties, ...peer } });
  await host.request(cart);
  assert.deepEqual(host.metrics, {
    "request_telemetry.requests;route=cart;peer=spiffe://shop.test/cart": 1,
    "request_telemetry.requests;route=cart;peer=none": 1,
  });
});

test("a new configuration may use other tags", async () => {
  using host = await loaded({ tags: [] });
  await host.request(cart);
  await host.swap({ config: { tags: ["route"] } });
  await host.request(cart);
  assert.deepEqual(host.metrics, { "request_telemetry.requests": 1, "request_telemetry.requests;route=cart": 1 });
});

test("rejects unknown tags and tags that appear twice", async () => {
  for (const tags of [["path"], ["route", "route"], "route"]) await assert.rejects(loaded({ tags }), FilterRejected);
});

test("the shipped configuration is valid", async () => {
  using host = await loaded(await readFile(new URL("../config.json", import.meta.url), "utf8"));
  await host.request(cart);
  assert.equal(host.histogram("request_telemetry.response_bytes;route=cart;status=2xx")?.length, 1);
});

test("rejects a limit of 0", async () => {
  await assert.rejects(loaded({ maxSeries: 0 }), FilterRejected);
});

/** Loads the filter, without a configuration when none is given: the configuration is optional. */
function loaded(config?: FilterOptions["config"]): Promise<Host> {
  return loadFilter(wasm, config === undefined ? {} : { config });
}
