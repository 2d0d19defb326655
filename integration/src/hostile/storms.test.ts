import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { eventually } from "../harness/eventually.ts";
import { type AnyDocument, type ProxySummary, TestMesh } from "../harness/test-mesh.ts";
import { Storm } from "./storm-client.ts";

const rejectingMs = 1_000 * Number(process.env["CHANCERY_STORM_SECONDS"] ?? 10);
const rejecting = 1_000;
const publishEveryMs = 250;
const reconnecting = 5_000;
const maxSyncMs = 30_000;

const clusters = "type.googleapis.com/envoy.config.cluster.v3.Cluster";
const listeners = "type.googleapis.com/envoy.config.listener.v3.Listener";

const cluster = (number: number): AnyDocument => ({
  kind: "Cluster",
  name: "shop",
  spec: { dns: { hostname: "shop.internal", port: 1 + number } },
});

/** The status of all proxies, read page by page. */
async function allProxies(mesh: TestMesh): Promise<readonly ProxySummary[]> {
  const proxies: ProxySummary[] = [];
  let after: string | undefined;
  do {
    const query = after === undefined ? "" : `?after=${encodeURIComponent(after)}`;
    const page = await mesh.read<{ items: ProxySummary[]; next?: string }>(`/api/v1/proxies${query}`);
    proxies.push(...page.items);
    after = page.next;
  } while (after !== undefined);
  return proxies;
}

test(`${rejecting} clients that reject everything are sent each version once, and their reasons are kept`, async (t) => {
  // The log would have a line for each rejection.
  await using mesh = await TestMesh.start(["--log-level", "error"]);
  await mesh.apply({ set: [cluster(0)] });
  using storm = new Storm(mesh.xds, {
    count: rejecting,
    optionsOf: (nodeId) => ({
      typeUrls: [clusters],
      rejection: `Error adding/updating cluster(s) shop: ${nodeId} does not want it`,
    }),
  });
  let versions = 1;
  const end = Date.now() + rejectingMs;
  while (Date.now() < end) {
    await delay(publishEveryMs);
    await mesh.write({ set: [cluster(versions++)] });
  }
  const outcomes = await mesh.write({ set: [cluster(versions++)] }, "30s");
  assert.deepEqual(
    [outcomes.length, new Set(outcomes.map(({ state }) => state))],
    [rejecting, new Set(["rejected"])],
    "each rejects the last version",
  );
  const last = new Set<string | undefined>();
  let responses = 0;
  for (const { nodeId, received } of storm.clients) {
    const contents = received.flatMap((each) => each.contents);
    assert.equal(new Set(contents).size, contents.length, `${nodeId} was sent a version twice`);
    last.add(contents.at(-1));
    responses += contents.length;
  }
  assert.equal(last.size, 1, "all were sent the same version last");
  for (const { nodeId, types } of await allProxies(mesh)) {
    const reasons = types.flatMap(({ rejections }) => rejections.map(({ reason }) => reason));
    assert.equal(reasons.length, 1, nodeId);
    assert.ok(reasons[0]?.includes(`${nodeId} does not want it`), reasons[0]);
  }
  t.diagnostic(`${versions} versions in ${rejectingMs / 1000} s, ${responses} responses`);
});

test(`${reconnecting} clients that reconnect at once after the server was killed are synced within ${maxSyncMs / 1000} s`, async (t) => {
  await using mesh = await TestMesh.start();
  const route: AnyDocument = {
    kind: "Route",
    name: "shop",
    spec: { hosts: ["*"], routes: [{ match: {}, cluster: "shop" }] },
  };
  await mesh.apply({
    set: [cluster(0), route, { kind: "Listener", name: "edge", spec: { port: 0, http: { routes: ["shop"] } } }],
  });
  const connectAll = async (number: number): Promise<number> => {
    const started = performance.now();
    using storm = new Storm(mesh.xds, {
      count: reconnecting,
      optionsOf: () => ({ typeUrls: [clusters, listeners] }),
    });
    await eventually(
      async () => storm.clients.every(({ received }) => received.length >= 2),
      "first responses",
      maxSyncMs,
    );
    const outcomes = await mesh.write({ set: [cluster(number)] }, "30s");
    assert.deepEqual(
      [outcomes.length, new Set(outcomes.map(({ state }) => state))],
      [reconnecting, new Set(["synced"])],
    );
    return performance.now() - started;
  };
  const first = await connectAll(1);
  await mesh.kill();
  await mesh.restart();
  const again = await connectAll(2);
  assert.ok(again < maxSyncMs, `took ${again} ms`);
  t.diagnostic(`synced after ${Math.round(first)} ms, and after ${Math.round(again)} ms when they reconnected`);
});
