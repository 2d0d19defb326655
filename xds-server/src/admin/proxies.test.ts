import assert from "node:assert/strict";
import { test } from "node:test";
import type { SyncState, TypeStatus } from "../proxy-status/proxy-status.ts";
import { resourceType } from "../resources/resource-types.ts";
import { cart, codesOf, mesh, shop, testAdmin } from "./testing.ts";

function holding(shortName: string, name: string, state: SyncState, sent?: string): TypeStatus {
  const rejection =
    state === "rejected" ? { rejection: { version: "v2", reason: "no such cluster", suspects: 3, at: 5 } } : {};
  const resource = { name, state, ...(sent === undefined ? {} : { sent }), ...rejection };
  return { typeUrl: resourceType(shortName).typeUrl, shortName, state, resources: [resource] };
}

test("lists each proxy with its types, its worst state, and Envoy's reason for a rejection", async () => {
  await using admin = await testAdmin();
  admin.connect("edge-1", () => [holding("RDS", "edge", "rejected"), holding("CDS", "cart", "synced")]);
  const gone = admin.connect("edge-2", () => []);
  gone.close();
  const { body } = await admin.send("GET", "/api/v1/proxies");
  const [first, second] = body.items;
  assert.deepEqual([first.nodeId, first.state, first.version], ["edge-1", "rejected", "1.40.0"]);
  assert.deepEqual(first.types, [
    { type: "CDS", state: "synced", resources: 1, rejections: [] },
    {
      type: "RDS",
      state: "rejected",
      resources: 1,
      rejections: [{ type: "RDS", name: "edge", version: "v2", reason: "no such cluster", suspects: 3, at: 5 }],
    },
  ]);
  assert.deepEqual([second.nodeId, second.state], ["edge-2", "disconnected"]);
  const rejected = await admin.send("GET", "/api/v1/proxies?state=rejected");
  assert.equal(rejected.body.items.length, 1);
  const unknown = await admin.send("GET", "/api/v1/proxies/edge-3");
  assert.deepEqual([unknown.status, codesOf(unknown)], [404, ["PROXY_UNKNOWN"]]);
});

test("pages through the proxies of one state without repeating or skipping any", async () => {
  await using admin = await testAdmin();
  for (const nodeId of ["c", "a", "d", "b"]) admin.connect(nodeId, () => [holding("CDS", "cart", "synced")]);
  admin.connect("bb", () => [holding("CDS", "cart", "rejected")]);
  const seen: string[][] = [];
  let next: string | undefined;
  do {
    const after = next === undefined ? "" : `&after=${next}`;
    const { body } = await admin.send("GET", `/api/v1/proxies?limit=2&state=synced${after}`);
    seen.push(body.items.map((proxy: { nodeId: string }) => proxy.nodeId));
    next = body.next;
  } while (next !== undefined);
  assert.deepEqual(seen, [
    ["a", "b"],
    ["c", "d"],
  ]);
  for (const limit of ["0", "1001", "x"]) {
    assert.deepEqual(codesOf(await admin.send("GET", `/api/v1/proxies?limit=${limit}`)), ["QUERY_INVALID"]);
  }
});

test("shows the resources that were sent to a proxy as JSON, without secrets", async () => {
  await using admin = await testAdmin();
  const secret = {
    "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret",
    name: "edge-key",
    tls_certificate: {
      certificate_chain: { filename: "/etc/edge.crt" },
      private_key: { inline_string: "PRIVATE-1" },
      password: { inline_string: "PRIVATE-2" },
    },
  };
  const envoyResource = { kind: "EnvoyResource", name: "edge-key", spec: { resource: secret } };
  const applied = await admin.send("POST", "/api/v1/apply", { body: [cart, envoyResource] });
  assert.equal(applied.status, 200, applied.text);
  const sent: TypeStatus[] = [];
  admin.connect("edge-1", () => sent);
  const config = async () => (await admin.send("GET", "/api/v1/proxies/edge-1/config")).text;
  sent.push(holding("SDS", "edge-key", "pending", "older"));
  assert.doesNotMatch(await config(), /edge\.crt/);
  sent.splice(0, 1, holding("SDS", "edge-key", "synced", admin.versionOf("SDS", "edge-key")));
  const shown = await config();
  assert.match(shown, /\/etc\/edge\.crt/);
  assert.match(shown, /\[redacted\]/);
  assert.doesNotMatch(shown, /PRIVATE/);
});

test("a write that waits is answered when every affected proxy has accepted it", async () => {
  await using admin = await testAdmin();
  await admin.send("POST", "/api/v1/apply", { body: mesh });
  let state: SyncState = "pending";
  const proxy = admin.connect("edge-1", () => [holding("RDS", "edge", state)]);
  const body = { ...shop, spec: { hosts: ["*"], routes: [{ match: { prefix: "/" }, cluster: "cart-v2" }] } };
  const writing = admin.send("PUT", "/api/v1/routes/shop?wait=10s", { body });
  const unwatch = admin.store.watch(() => {
    state = "synced";
    proxy.changed();
  });
  const answer = await writing;
  unwatch();
  assert.deepEqual(answer.body.proxies, [{ nodeId: "edge-1", nodeGroup: "default", state: "synced", rejections: [] }]);
});

test("a write that waits goes on waiting after a rejection until the proxy has answered the whole write", async () => {
  await using admin = await testAdmin();
  await admin.send("POST", "/api/v1/apply", { body: mesh });
  let cluster: SyncState = "pending";
  let reads = 0;
  admin.connect("edge-1", () => {
    reads += 1;
    // The first ten reads see a rejected route and an unanswered cluster.
    if (reads > 10) cluster = "rejected";
    return [holding("RDS", "edge", "rejected"), holding("CDS", "mail", cluster)];
  });
  const body = [
    { ...shop, spec: { hosts: ["*"], routes: [{ match: { prefix: "/" }, cluster: "cart-v2" }] } },
    { ...cart, name: "mail" },
  ];
  const [outcome] = (await admin.send("POST", "/api/v1/apply?wait=10s", { body })).body.proxies;
  const types = outcome.rejections.map(({ type }: { type: string }) => type);
  assert.deepEqual([outcome.state, types.sort()], ["rejected", ["CDS", "RDS"]]);
});

test("a write that waits names the proxies that rejected it, with the reason, and those that did not answer in time", async () => {
  await using admin = await testAdmin();
  await admin.send("POST", "/api/v1/apply", { body: mesh });
  admin.connect("edge-1", () => [holding("RDS", "edge", "rejected")]);
  admin.connect("edge-2", () => [holding("RDS", "edge", "pending")]);
  admin.connect("edge-3", () => [holding("CDS", "unrelated", "pending")]);
  const body = { ...shop, spec: { hosts: ["*"], routes: [{ match: { prefix: "/" }, cluster: "cart-v2" }] } };
  const { proxies } = (await admin.send("PUT", "/api/v1/routes/shop?wait=100ms", { body })).body;
  assert.deepEqual(
    proxies.map(({ state, rejections }: { state: string; rejections: { reason: string }[] }) => [
      state,
      rejections[0]?.reason,
    ]),
    [
      ["rejected", "no such cluster"],
      ["pending", undefined],
      ["synced", undefined],
    ],
  );
});
