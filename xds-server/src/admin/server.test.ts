import assert from "node:assert/strict";
import { test } from "node:test";
import { routes } from "../admin-api/routes.ts";
import { kinds } from "../model/kinds.ts";
import { resourceType } from "../resources/resource-types.ts";
import { startAdmin } from "./server.ts";
import { codesOf, mesh, testAdmin } from "./testing.ts";

test("does not start without a token on an address that other machines can reach", async () => {
  const never = undefined as never;
  const listen = { host: "0.0.0.0", port: 0 };
  const parts = {
    store: never,
    writer: never,
    catalog: never,
    proxies: never,
    loads: never,
    snapshots: never,
    metrics: never,
    log: never,
  };
  await assert.rejects(startAdmin({ ...parts, listen, maxBodyBytes: 1, notReady: never }), {
    name: "AdminNeedsToken",
    message: /on 0\.0\.0\.0 without a token: set --admin-token-file or CHANCERY_TOKEN, or listen on 127\.0\.0\.1/,
  });
});

test("the answer to a mistyped URL names the nearest one, and the answer to a wrong method the right ones", async () => {
  await using admin = await testAdmin();
  const mistyped = await admin.send("GET", "/api/v1/cluster/cart");
  assert.deepEqual([mistyped.status, codesOf(mistyped)], [404, ["URL_UNKNOWN"]]);
  assert.equal(mistyped.body.problems[0].hint, "did you mean /api/v1/clusters/cart?");
  const wrong = await admin.send("PATCH", "/api/v1/clusters/cart");
  assert.deepEqual([wrong.status, codesOf(wrong)], [405, ["METHOD_NOT_ALLOWED"]]);
  assert.equal(wrong.headers.get("allow"), "DELETE, GET, HEAD, PUT");
});

test("the answer to a body of another content type names that type and those that the URL takes", async () => {
  await using admin = await testAdmin();
  const versions = "/api/v1/filters/f/versions";
  for (const [method, url, type, message] of [
    ["POST", "/api/v1/apply?dryRun=true", "text/plain", 'a body of type "text/plain": POST /api/v1/apply takes '],
    ["PUT", "/api/v1/clusters/cart", ";;;", 'a body of type ";;;": PUT /api/v1/clusters/cart takes '],
  ] as const) {
    const { body } = await admin.send(method, url, { raw: "[]", type });
    assert.equal(body.detail, `Cannot read ${message}application/json or application/yaml`);
  }
  for (const type of ["text/plain", "application/json"]) {
    const { status, body } = await admin.send("POST", versions, { raw: "[]", type });
    assert.equal(status, 415);
    assert.equal(body.detail, `Cannot read a body of type "${type}": POST ${versions} takes application/wasm`);
  }
  const restore = await admin.send("POST", "/api/v1/revisions/0/restore", { raw: "x", type: "text/plain" });
  assert.match(restore.body.detail, /"text\/plain": POST .* takes no body$/);
  const unknown = await admin.send("POST", "/api/v1/aply", { raw: "[]", type: "text/plain" });
  assert.deepEqual([unknown.status, codesOf(unknown)], [404, ["URL_UNKNOWN"]]);
});

test("/openapi.json describes every kind with the schema that validates it, and every reference resolves", async () => {
  await using admin = await testAdmin();
  const { body, text } = await admin.send("GET", "/openapi.json");
  assert.equal(body.openapi, "3.1.0");
  for (const { kind, plural } of kinds) {
    assert.deepEqual(Object.keys(body.paths[`/api/v1/${plural}/{name}`]).sort(), ["delete", "get", "put"]);
    assert.deepEqual(body.components.schemas[kind].properties.kind.enum, [kind]);
  }
  const { schemas } = body.components;
  assert.match(schemas.Cluster.properties.spec.properties.connectTimeout.description, /connection/);
  for (const [reference, id] of text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)) {
    assert.ok(Object.hasOwn(schemas, String(id)), reference);
  }
  assert.doesNotMatch(text, /"\$ref":"(?!#\/components\/)/);
});

test("every route of the admin API has a handler", async () => {
  await using admin = await testAdmin();
  const { body } = await admin.send("GET", "/openapi.json");
  for (const { method, url } of Object.values<Route>(routes)) {
    for (const served of url.includes(":plural") ? kinds.map(({ plural }) => url.replace(":plural", plural)) : [url]) {
      const path = served.replaceAll(/:(\w+)/g, "{$1}");
      assert.ok(body.paths[path]?.[method.toLowerCase()], `${method} ${served}`);
    }
  }
});

interface Route {
  readonly method: string;
  readonly url: string;
}

test("answers the liveness check, the readiness check and the request for metrics", async () => {
  await using admin = await testAdmin();
  await admin.send("POST", "/api/v1/apply", { body: mesh });
  admin.connect("edge-1", () => []);
  assert.deepEqual((await admin.send("GET", "/healthz")).body, { status: "ok" });
  assert.deepEqual((await admin.send("GET", "/readyz")).body, { status: "ready", revision: 1 });
  const { text } = await admin.send("GET", "/metrics");
  assert.match(text, /^chancery_revision 1$/m);
  assert.match(text, /^chancery_proxies\{group="default",state="synced"\} 1$/m);
  assert.match(text, /^chancery_proxies\{group="default",state="rejected"\} 0$/m);
  assert.match(text, /chancery_admin_request_seconds_count\{method="POST",route="\/api\/v1\/apply",status="200"\} 1/);
});

test("a server that stops answers the requests under way, and rejects later ones", { timeout: 20_000 }, async () => {
  const admin = await testAdmin();
  const { typeUrl, shortName } = resourceType("CDS");
  const pending = { name: "cart", state: "pending", wanted: "1" } as const;
  const proxy = admin.connect("edge-1", () => [{ typeUrl, shortName, state: "pending", resources: [pending] }]);
  const committed = new Promise<void>((resolve) => admin.store.watch(() => resolve()));
  const write = admin.send("PUT", "/api/v1/clusters/cart?wait=10s", { body: { spec: { eds: {} } } });
  await committed;
  const closed = admin[Symbol.asyncDispose]();
  await new Promise((resolve) => setImmediate(resolve));
  const later = await admin.send("GET", "/api/v1/mesh");
  assert.deepEqual([later.status, codesOf(later)], [503, ["STOPPING"]]);
  proxy.close();
  assert.equal((await write).status, 201);
  await closed;
});
