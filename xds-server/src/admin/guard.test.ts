import assert from "node:assert/strict";
import { request } from "node:http";
import { test } from "node:test";
import { isLoopback } from "./guard.ts";
import { cart, codesOf, type TestAdmin, testAdmin } from "./testing.ts";

/** The status of a request with these headers. Not by fetch, which does not allow a Host header. */
async function statusWith(admin: TestAdmin, headers: Record<string, string>): Promise<number | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
  const sent = request(`${admin.url}/api/v1/clusters`, { headers }, (response) => {
    response.resume();
    resolve(response.statusCode);
  });
  sent.on("error", reject).end();
  return promise;
}

test("without a token only requests to loopback host names are answered, which prevents DNS rebinding", async () => {
  await using admin = await testAdmin();
  assert.equal(await statusWith(admin, { host: `localhost:${admin.port}` }), 200);
  assert.equal(await statusWith(admin, { host: "127.0.0.1" }), 200);
  assert.equal(await statusWith(admin, { host: `[::1]:${admin.port}` }), 200);
  assert.equal(await statusWith(admin, { host: "evil.example" }), 403);
  assert.equal(await statusWith(admin, { host: "127.0.0.1.evil.example" }), 403);
});

test("rejects a web page from another origin, and answers one from its own origin", async () => {
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

test("every URL except the health checks requires the token", async () => {
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

test("tells loopback names and addresses from similar ones", () => {
  for (const host of ["127.0.0.1", "127.8.8.8", "localhost", "LOCALHOST", "::1", "[::1]", "shop.localhost"]) {
    assert.equal(isLoopback(host), true, host);
  }
  for (const host of ["0.0.0.0", "::", "10.0.0.1", "127.0.0.1.example", "localhost.example", "127.evil", ""]) {
    assert.equal(isLoopback(host), false, host);
  }
});
