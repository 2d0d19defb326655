import assert from "node:assert/strict";
import { test } from "node:test";
import { cart, codesOf, mesh, shop, testAdmin } from "./testing.ts";

test("creates, reads, changes, lists and deletes a document", async () => {
  await using admin = await testAdmin();
  const created = await admin.send("PUT", "/api/v1/clusters/cart", { body: cart });
  assert.equal(created.status, 201, created.text);
  assert.equal(created.headers.get("etag"), '"1"');
  assert.deepEqual(created.body, {
    revision: 1,
    dryRun: false,
    changes: [{ kind: "Cluster", name: "cart", change: "created" }],
    unchanged: [],
  });

  const read = await admin.send("GET", "/api/v1/clusters/cart");
  assert.deepEqual([read.status, read.headers.get("etag"), read.body], [200, '"1"', cart]);

  const spec = { endpoints: [{ address: "127.0.0.1", port: 9999 }] };
  const changed = await admin.send("PUT", "/api/v1/clusters/cart", { body: { spec } });
  assert.deepEqual([changed.status, changed.headers.get("etag")], [200, '"2"']);

  const listed = await admin.send("GET", "/api/v1/clusters");
  assert.deepEqual(listed.body, { revision: 2, items: [{ ...cart, spec }] });

  assert.equal((await admin.send("DELETE", "/api/v1/clusters/cart", { raw: "" })).status, 200);
  const gone = await admin.send("GET", "/api/v1/clusters/cart");
  assert.deepEqual([gone.status, codesOf(gone)], [404, ["DOCUMENT_UNKNOWN"]]);
});

test("accepts YAML, and gives the line of a fault", async () => {
  await using admin = await testAdmin();
  const raw = "spec:\n  endpoints:\n    - address: 127.0.0.1\n      port: 9002\n";
  assert.equal((await admin.send("PUT", "/api/v1/clusters/cart", { raw, type: "application/yaml" })).status, 201);
  const twice = await admin.send("PUT", "/api/v1/clusters/cart", { raw: `${raw}spec: {}\n`, type: "application/yaml" });
  assert.deepEqual([twice.status, twice.body.problems[0].source], [400, "body:5"]);
});

test("writing an unchanged document makes no revision", async () => {
  await using admin = await testAdmin();
  await admin.send("PUT", "/api/v1/clusters/cart", { body: cart });
  const again = await admin.send("PUT", "/api/v1/clusters/cart", { body: cart });
  assert.deepEqual([again.status, again.headers.get("etag")], [200, '"1"']);
  assert.deepEqual(again.body.unchanged, [{ kind: "Cluster", name: "cart" }]);
});

test("If-Match rejects a writer that has not seen the last change, and the message has both revisions", async () => {
  await using admin = await testAdmin();
  await admin.send("PUT", "/api/v1/clusters/cart", { body: cart });
  const body = { spec: { endpoints: [{ address: "127.0.0.1", port: 1 }] } };
  assert.equal(
    (await admin.send("PUT", "/api/v1/clusters/cart", { body, headers: { "if-match": '"1"' } })).status,
    200,
  );
  const late = await admin.send("PUT", "/api/v1/clusters/cart", { body: cart, headers: { "if-match": '"1"' } });
  assert.deepEqual([late.status, codesOf(late), late.headers.get("etag")], [412, ["REVISION_MISMATCH"], '"2"']);
  assert.match(late.body.detail, /revision "1".*revision 2/);
  const stale = await admin.send("DELETE", "/api/v1/clusters/cart", { headers: { "if-match": '"1"' } });
  assert.equal(stale.status, 412);
  assert.equal((await admin.send("DELETE", "/api/v1/clusters/cart", { headers: { "if-match": "*" } })).status, 200);
});

test("PUT with If-None-Match: * only creates", async () => {
  await using admin = await testAdmin();
  const headers = { "if-none-match": "*" };
  assert.equal((await admin.send("PUT", "/api/v1/clusters/cart", { body: cart, headers })).status, 201);
  const second = await admin.send("PUT", "/api/v1/clusters/cart", { body: cart, headers });
  assert.deepEqual([second.status, codesOf(second)], [412, ["DOCUMENT_EXISTS"]]);
});

test("GET with the ETag in If-None-Match answers 304", async () => {
  await using admin = await testAdmin();
  await admin.send("PUT", "/api/v1/clusters/cart", { body: cart });
  const known = await admin.send("GET", "/api/v1/clusters/cart", { headers: { "if-none-match": '"1"' } });
  assert.deepEqual([known.status, known.text], [304, ""]);
});

test("rejects a write that does not compile, and reports each fault with its path and the nearest name", async () => {
  await using admin = await testAdmin();
  await admin.send("POST", "/api/v1/apply", { body: mesh });
  const routes = [
    { match: { prefix: "/a" }, cluster: "cartt" },
    { match: { prefix: "/b" }, cluster: "cart-v3" },
  ];
  const rejected = await admin.send("PUT", "/api/v1/routes/shop", { body: { spec: { ...shop.spec, routes } } });
  assert.equal(rejected.status, 422);
  assert.equal(rejected.headers.get("content-type"), "application/problem+json");
  const places = rejected.body.problems.map(({ path, hint }: { path: string; hint: string }) => [path, hint]);
  assert.deepEqual(places, [
    ["spec.routes[0].cluster", 'did you mean "cart"?'],
    ["spec.routes[1].cluster", 'did you mean "cart-v2"?'],
  ]);
  assert.equal(admin.store.get().revision, 1);
});

test("rejects a body that names another document than the URL", async () => {
  await using admin = await testAdmin();
  const other = await admin.send("PUT", "/api/v1/clusters/card", { body: cart });
  assert.deepEqual([other.status, codesOf(other)], [422, ["DOCUMENT_MISMATCH"]]);
});

test("a name with a slash is percent-encoded in the URL", async () => {
  await using admin = await testAdmin();
  const name = "shop/cart";
  const url = `/api/v1/clusters/${encodeURIComponent(name)}`;
  assert.equal((await admin.send("PUT", url, { body: { ...cart, name } })).status, 201);
  assert.equal((await admin.send("GET", url)).body.name, name);
});

test("the ETag of a PUT is its own revision, even when others write the same document at the same time", async () => {
  await using admin = await testAdmin();
  const ports = [1, 2, 3, 4, 5, 6, 7, 8];
  const answers = await Promise.all(
    ports.map((port) =>
      admin.send("PUT", "/api/v1/clusters/cart", { body: { spec: { endpoints: [{ address: "127.0.0.1", port }] } } }),
    ),
  );
  for (const { headers, body } of answers) assert.equal(headers.get("etag"), `"${body.revision}"`);
  assert.deepEqual(answers.map(({ body }) => body.revision).sort(), ports);
  assert.equal(answers.filter(({ status }) => status === 201).length, 1);
});

test("a revision keeps the author and the message of the write", async () => {
  await using admin = await testAdmin();
  const headers = { "x-chancery-author": "ann" };
  await admin.send("PUT", "/api/v1/clusters/cart?message=because%20%C3%BC", { body: cart, headers });
  const { author, message } = (await admin.send("GET", "/api/v1/revisions/1")).body;
  assert.deepEqual([author, message], ["ann", "because ü"]);
});

test("a write waits for the turns before it, and the event loop runs in between", async () => {
  await using admin = await testAdmin();
  let done = 0;
  const busy = (): void => {
    for (const until = performance.now() + 5; performance.now() < until; );
    done += 1;
  };
  const others = 100;
  for (let n = 0; n < others; n += 1) admin.turns.take(busy);
  let before: number | undefined;
  admin.store.watch(() => {
    before = done;
  });
  const writing = admin.send("PUT", "/api/v1/clusters/cart", { body: cart });
  await admin.send("GET", "/api/v1/clusters");
  assert.ok(done < others, "a read is answered between the turns of writes");
  assert.equal((await writing).status, 201);
  assert.equal(before, others);
});
