import assert from "node:assert/strict";
import { request } from "node:http";
import { test } from "node:test";
import { isLoopback } from "./guard.ts";
import { cart, codesOf, type TestAdmin, testAdmin } from "./testing.ts";

/** fetch does not let a test choose Host. */
async function statusWith(admin: TestAdmin, headers: Record<string, string>): Promise<number | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
  const sent = request(`${admin.url}/api/v1/clusters`, { headers }, (response) => {
    response.resume();
    resolve(response.statusCode);
  });
  sent.on("error", reject).end();
  return promise;
}

test("without a token only loopback host names are answered, so that a rebound DNS name reaches nothing", async () => {
  await using admin = await testAdmin();
  assert.equal(await statusWith(admin, { host: `localhost:${admin.port}` }), 200);
  assert.equal(await statusWith(admin, { host: "127.0.0.1" }), 200);
  assert.equal(await statusWith(admin, { host: `[::1]:${admin.port}` }), 200);
  assert.equal(await statusWith(admin, { host: "evil.example" }), 403);
  assert.equal(await statusWith(admin, { host: "127.0.0.1.evil.example" }), 403);
});

test("a web page of another origin is rejected, one of our own is answered", async () => {
  await using admin = await testAdmin();
  const foreign = await admin.send("PUT", "/api/v1/clusters/cart", {
    body: cart,
    headers: { origin: "https://evil.example" },
  });
  assert.deepEqual([foreign.status, codesOf(foreign)], [403, ["ORIGIN_FORBIDDEN"]]);
  const opaque = await admin.send("GET", "/api/v1/clusters", { headers: { origin: "null" } });
  assert.equal(opaque.status, 403);
  const own = await admin.send("PUT", "/api/v1/clusters/cart", { body: cart, headers: { origin: admin.url } });
  assert.equal(own.status, 201);
});

test("with a token every URL but the health checks needs it", async () => {
  await using admin = await testAdmin({ token: "s3cret" });
  for (const url of ["/api/v1/clusters", "/metrics", "/openapi.json", "/api/v1/events", "/nowhere"]) {
    const rejected = await admin.send("GET", url);
    assert.deepEqual([url, rejected.status, codesOf(rejected)], [url, 401, ["UNAUTHENTICATED"]]);
    assert.equal(rejected.headers.get("www-authenticate"), "Bearer");
  }
  for (const authorization of ["Bearer wrong", "Basic s3cret", "Bearer", "Bearer s3cret s3cret"]) {
    assert.equal(
      (await admin.send("GET", "/api/v1/clusters", { headers: { authorization } })).status,
      401,
      authorization,
    );
  }
  const headers = { authorization: "Bearer s3cret" };
  assert.equal((await admin.send("GET", "/api/v1/clusters", { headers })).status, 200);
  for (const url of ["/healthz", "/readyz"]) assert.equal((await admin.send("GET", url)).status, 200);
});

test("knows loopback names and addresses from those that only look like it", () => {
  for (const host of ["127.0.0.1", "127.8.8.8", "localhost", "LOCALHOST", "::1", "[::1]", "shop.localhost"]) {
    assert.equal(isLoopback(host), true, host);
  }
  for (const host of ["0.0.0.0", "::", "10.0.0.1", "127.0.0.1.example", "localhost.example", "127.evil", ""]) {
    assert.equal(isLoopback(host), false, host);
  }
});
