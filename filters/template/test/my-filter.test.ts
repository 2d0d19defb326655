import assert from "node:assert/strict";
import { test } from "node:test";
import { FilterRejected, loadFilter } from "@chancery/filter-testing";

/** `chancery filter test` builds this module, and runs the tests in the filter's folder. */
const wasm = "build/my-filter.wasm";
const config = { key: "open sesame", greeting: "good day" };

test("a request with the key passes without the key, and its response has the greeting", async () => {
  using host = await loadFilter(wasm, { config });
  const reply = await host.request({ path: "/", headers: { "x-key": "open sesame" } });
  assert.equal(reply.status, 200);
  assert.equal(reply.headers.get("x-greeting"), "good day");
  assert.equal(reply.upstream?.headers.get("x-key"), undefined);
});

test("a request without the key is rejected and counted", async () => {
  using host = await loadFilter(wasm, { config });
  const reply = await host.request({ path: "/", headers: { "x-key": "open barley" } });
  assert.equal(reply.status, 401);
  assert.equal(reply.upstream, undefined);
  assert.equal(host.metrics["my_filter.rejected"], 1);
});

test("rejects a configuration without a key", async () => {
  await assert.rejects(loadFilter(wasm, { config: {} }), FilterRejected);
});
