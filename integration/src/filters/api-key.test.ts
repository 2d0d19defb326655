import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { builtFilter } from "../harness/built-filter.ts";
import { eventually } from "../harness/eventually.ts";
import { echoRequest, startFilterEnvoy } from "./filter-envoy.ts";

const sha256 = (key: string): string => createHash("sha256").update(key).digest("hex");

const configuration = {
  query: "api_key",
  exempt: [{ path: "/health" }],
  keys: [
    { name: "billing", sha256: sha256("key-of-billing"), expires: "2199-01-01T00:00:00Z" },
    { name: "old", sha256: sha256("old-key"), expires: 1_000_000_000 },
    { name: "reader", sha256: sha256("reader-key"), pathPrefixes: ["/catalog/"], methods: ["GET"] },
  ],
};

test("api-key allows clients with a key, sends the client's name upstream, and removes the key", async (t) => {
  const { request, envoy, stop } = await startFilterEnvoy(await builtFilter("filters/api-key"), [configuration], {
    upstream: echoRequest,
  });
  t.after(stop);

  const known = await request("/cart?api_key=no", {
    headers: { "x-api-key": "key-of-billing", "x-client-id": "root" },
  });
  assert.equal(known.status, 200);
  assert.equal(known.seen?.path, "/cart");
  assert.equal(known.seen.headers["x-client-id"], "billing");
  assert.equal(known.seen.headers["x-api-key"], undefined);
  const byQuery = await request("/catalog/tea?x=1&api_key=reader-key");
  assert.equal(byQuery.seen?.path, "/catalog/tea?x=1");
  assert.equal(byQuery.seen.headers["x-client-id"], "reader");
  const exempt = await request("/health", { headers: { "x-client-id": "root", "x-api-key": "key-of-billing" } });
  assert.equal(exempt.seen?.headers["x-client-id"], undefined);
  assert.equal(exempt.seen?.headers["x-api-key"], undefined);

  const rejections = [
    [await request("/cart"), 401, "an API key is required"],
    [await request("/cart", { headers: { "x-api-key": "key-of-billinG" } }), 401, "the API key is not valid"],
    [await request("/cart", { headers: { "x-api-key": "old-key" } }), 401, "the API key has expired"],
    [await request("/catalog/../cart?api_key=reader-key"), 403, "the API key is not for this path"],
    [
      await request("/catalog/", { headers: { "x-api-key": "reader-key" }, body: "new" }),
      403,
      "the API key is not for this method",
    ],
  ] as const;
  for (const [reply, status, reason] of rejections) {
    assert.equal(reply.status, status, reason);
    assert.equal(reply.headers["x-api-key-reason"], reason);
    assert.equal(reply.headers["www-authenticate"], status === 401 ? "ApiKey" : undefined);
    assert.equal(reply.body, `${reason}\n`);
  }

  const counted = await envoy.stats("^wasmcustom");
  assert.equal(counted.get("wasmcustom.api_key.allowed;client=billing"), 1);
  assert.equal(counted.get("wasmcustom.api_key.denied;client=old;reason=expired"), 1);
  assert.equal(counted.get("wasmcustom.api_key.denied;client=unknown;reason=missing"), 1);
  assert.equal(counted.get("wasmcustom.api_key.exempt"), 1);
  await eventually(
    async () => assert.match(envoy.recentLog().join("\n"), /^403 api_key_denied\{path\} \/cart$/m),
    "the line in the access log",
  );
  assert.doesNotMatch(envoy.recentLog().join("\n"), /-key|api_key=/);
});
