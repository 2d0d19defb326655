import assert from "node:assert/strict";
import { test } from "node:test";
import { cart, cartV2, codesOf, edge, mesh, shop, testAdmin } from "./testing.ts";

const weighted = {
  ...shop,
  spec: {
    hosts: ["*"],
    routes: [
      {
        match: { prefix: "/" },
        clusters: [
          { name: "cart", weight: 50 },
          { name: "cart-v2", weight: 50 },
        ],
      },
    ],
  },
};

test("apply sets and deletes documents in one revision", async () => {
  await using admin = await testAdmin();
  assert.equal((await admin.send("POST", "/api/v1/apply", { body: mesh })).status, 200);
  const answer = await admin.send("POST", "/api/v1/apply", {
    body: {
      set: [{ ...shop, spec: { hosts: ["*"], routes: [{ match: { prefix: "/" }, cluster: "cart-v2" }] } }, edge],
      delete: [{ kind: "Cluster", name: "cart" }],
    },
  });
  assert.equal(answer.body.revision, 2);
  assert.deepEqual(answer.body.changes, [
    { kind: "Cluster", name: "cart", change: "deleted" },
    { kind: "Route", name: "shop", change: "changed" },
  ]);
  assert.deepEqual(answer.body.unchanged, [{ kind: "Listener", name: "edge" }]);
});

test("apply is all or nothing", async () => {
  await using admin = await testAdmin();
  const body = [...mesh, { ...cart, name: "bad", spec: { endpoints: [{ address: "nowhere", port: 0 }] } }];
  const rejected = await admin.send("POST", "/api/v1/apply", { body });
  assert.equal(rejected.status, 422);
  assert.deepEqual(
    rejected.body.problems.map(({ path }: { path: string }) => path),
    ["spec.endpoints[0].address", "spec.endpoints[0].port"],
  );
  assert.deepEqual((await admin.send("GET", "/api/v1/mesh")).body, []);
});

test("a problem of a document without a name has the position in the list", async () => {
  await using admin = await testAdmin();
  const places = async (body: unknown) => {
    const rejected = await admin.send("POST", "/api/v1/apply", { body });
    return rejected.body.problems.map(({ source, path }: { source: string; path: string }) => [source, path]);
  };
  assert.deepEqual(await places([cart, null, { kind: "Cluster", spec: cartV2.spec }]), [
    ["body[1]", ""],
    ["body[2]", "name"],
  ]);
  assert.deepEqual(await places({ set: [cart, 7] }), [["set[1]", ""]]);
});

test("apply accepts one document, a list, and several YAML documents", async () => {
  await using admin = await testAdmin();
  assert.equal((await admin.send("POST", "/api/v1/apply", { body: cart })).status, 200);
  const yaml = [cart, cartV2].map((document) => JSON.stringify(document)).join("\n---\n");
  const several = await admin.send("POST", "/api/v1/apply", { raw: yaml, type: "application/yaml" });
  assert.deepEqual([several.status, several.body.revision], [200, 2]);
  const deleted = "delete:\n  - kind: Cluster\n    name: cart\n";
  const shrunk = await admin.send("POST", "/api/v1/apply", { raw: deleted, type: "application/yaml" });
  assert.deepEqual(shrunk.body.changes, [{ kind: "Cluster", name: "cart", change: "deleted" }]);
});

test("a dry run lists the changes and the affected proxies, and changes nothing", async () => {
  await using admin = await testAdmin();
  await admin.send("POST", "/api/v1/apply", { body: mesh });
  admin.connect("edge-1", () => []);
  const dry = await admin.send("POST", "/api/v1/apply?dryRun=true", { body: [weighted] });
  assert.equal(dry.body.dryRun, true);
  assert.deepEqual(dry.body.changes, [
    { kind: "Route", name: "shop", change: "changed", before: shop, after: weighted },
  ]);
  assert.deepEqual(dry.body.impact, [
    { nodeGroup: "default", resources: [{ type: "RDS", name: "edge", change: "changed" }], proxies: ["edge-1"] },
  ]);
  assert.equal(admin.store.get().revision, 1);
});

test("a change of node groups lists the proxies that move, from and to which group, and the changes for them", async () => {
  await using admin = await testAdmin();
  await admin.send("POST", "/api/v1/apply", { body: mesh });
  for (const nodeId of ["edge-1", "edge-2", "inner-1"]) admin.connect(nodeId, () => []);
  const inner = { kind: "NodeGroup", name: "inner", spec: { match: { ids: ["inner-*"] } } };
  const db = { ...cart, name: "db", spec: { ...cart.spec, nodeGroup: "inner" } };
  const { impact } = (await admin.send("POST", "/api/v1/apply?dryRun=true", { body: [inner, db] })).body;
  const move = impact.find(({ from }: { from?: string }) => from !== undefined);
  const created = ["CDS", "EDS"].map((type) => ({ type, name: "db", change: "created" }));
  assert.deepEqual(move, { nodeGroup: "inner", from: "default", resources: created, proxies: ["inner-1"] });
  const staying = impact.filter(({ from }: { from?: string }) => from === undefined);
  assert.ok(!JSON.stringify(staying).includes("inner-1"), JSON.stringify(staying));
});

test("replaces the whole mesh, and accepts the mesh that it returns", async () => {
  await using admin = await testAdmin();
  await admin.send("POST", "/api/v1/apply", { body: [...mesh, { ...cart, name: "old" }] });
  const replaced = await admin.send("PUT", "/api/v1/mesh", { body: mesh });
  assert.deepEqual(replaced.body.changes, [{ kind: "Cluster", name: "old", change: "deleted" }]);
  const read = await admin.send("GET", "/api/v1/mesh");
  const again = await admin.send("PUT", "/api/v1/mesh", {
    body: read.body,
    headers: { "if-match": read.headers.get("etag") ?? "" },
  });
  assert.deepEqual([again.status, again.body.revision, again.body.changes], [200, 2, []]);
  const stale = await admin.send("PUT", "/api/v1/mesh", { body: [], headers: { "if-match": '"1"' } });
  assert.deepEqual([stale.status, codesOf(stale)], [412, ["REVISION_MISMATCH"]]);
});

test("lists, compares and restores revisions", async () => {
  await using admin = await testAdmin();
  await admin.send("POST", "/api/v1/apply", { body: mesh });
  await admin.send("POST", "/api/v1/apply", { body: [weighted] });
  await admin.send("POST", "/api/v1/apply", { body: { delete: [{ kind: "Listener", name: "edge" }] } });

  const listed = await admin.send("GET", "/api/v1/revisions?limit=2");
  assert.deepEqual(
    listed.body.items.map(({ revision }: { revision: number }) => revision),
    [3, 2],
  );
  assert.deepEqual(listed.body.items[1].changes, [{ kind: "Route", name: "shop", change: "changed" }]);

  const difference = await admin.send("GET", "/api/v1/revisions/diff?from=1&to=3");
  assert.deepEqual(difference.body.changes, [
    { kind: "Route", name: "shop", change: "changed", before: shop, after: weighted },
    { kind: "Listener", name: "edge", change: "deleted", before: edge },
  ]);

  const unknown = await admin.send("POST", "/api/v1/revisions/99/restore");
  assert.equal(unknown.body.detail, "Cannot find revision 99: it does not exist, or it is no longer kept");
  const restored = await admin.send("POST", "/api/v1/revisions/1/restore");
  assert.deepEqual([restored.status, restored.body.revision], [200, 4]);
  const { changes, message } = (await admin.send("GET", "/api/v1/revisions/4")).body;
  assert.equal(message, "restore revision 1");
  assert.deepEqual(changes.map(({ name }: { name: string }) => name).sort(), ["edge", "shop"]);
  assert.deepEqual((await admin.send("GET", "/api/v1/routes/shop")).body, shop);
});

test("restoring revision 0 empties the mesh", async () => {
  await using admin = await testAdmin();
  await admin.send("POST", "/api/v1/apply", { body: mesh });
  assert.equal((await admin.send("POST", "/api/v1/revisions/0/restore")).status, 200);
  assert.deepEqual((await admin.send("GET", "/api/v1/mesh")).body, []);
});
