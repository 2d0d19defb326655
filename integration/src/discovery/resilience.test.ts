import assert from "node:assert/strict";
import { test } from "node:test";
import type { RunningEnvoy, XdsVariant } from "@chancery/xds-server/envoy";
import { eventually } from "../harness/eventually.ts";
import { type AnyDocument, TestMesh } from "../harness/test-mesh.ts";

const listener: AnyDocument = { kind: "Listener", name: "edge", spec: { port: 0, http: { routes: ["shop"] } } };
const clusterType = "type.googleapis.com/envoy.config.cluster.v3.Cluster";
const route = (cluster: string): AnyDocument => ({
  kind: "Route",
  name: "shop",
  spec: { hosts: ["*"], routes: [{ match: {}, cluster }] },
});
const cluster = (name: string, ...ports: readonly number[]): AnyDocument => ({
  kind: "Cluster",
  name,
  spec: { endpoints: ports.map((port) => ({ address: "127.0.0.1", port })) },
});
const dnsCluster = (name: string, port: number): AnyDocument => ({
  kind: "Cluster",
  name,
  spec: { dns: { hostname: "localhost", port } },
});

/** Starts two slow services, so that a request is always under way, and an Envoy with a route to the first. */
async function startShop(mesh: TestMesh, variant: XdsVariant) {
  const slowly = (name: string) => mesh.serviceNamed(name, { afterMs: 20 });
  const ports = { v1: await slowly("v1"), v2: await slowly("v2") };
  await mesh.apply({ set: [listener, route("first"), cluster("first", ports.v1)] });
  const envoy = await mesh.envoy({ variant });
  const load = await mesh.load(envoy);
  return {
    ports,
    envoy,
    load,
    /** Waits until a service has answered ten more requests. */
    async answered(name: "v1" | "v2") {
      const before = load.answered(name);
      await eventually(async () => load.answered(name) >= before + 10, `more answers of ${name}`);
    },
  };
}

for (const variant of ["delta", "sotw"] as const) {
  test(`${variant}: one write moves a route to a new cluster and deletes the old one, ten times, and no request fails`, async () => {
    await using mesh = await TestMesh.start();
    const { ports, load, envoy, answered } = await startShop(mesh, variant);
    await answered("v1");
    let last = "first";
    for (let round = 1; round <= 10; round++) {
      const name = `round-${round}`;
      const to = round % 2 === 0 ? "v1" : "v2";
      const next = round % 4 < 2 ? cluster(name, ports[to]) : dnsCluster(name, ports[to]);
      await mesh.apply({ set: [next, route(name)], delete: [{ kind: "Cluster", name: last }] });
      await answered(to);
      last = name;
    }
    // The same without waiting for the proxy, which gets the newest version and may skip others.
    for (let round = 1; round <= 10; round++) {
      const name = `hasty-${round}`;
      await mesh.write({ set: [cluster(name, ports.v2), route(name)], delete: [{ kind: "Cluster", name: last }] });
      last = name;
    }
    await answered("v2");
    await load.stop();
    assert.deepEqual(load.failures, []);
    const clusters = await envoy.stats("^cluster\\.(first|round|hasty).*upstream_rq_total$");
    assert.deepEqual([...clusters.keys()], ["cluster.hasty-10.upstream_rq_total"]);
  });

  test(`${variant}: endpoints are added and removed twenty times, and no request fails`, async () => {
    await using mesh = await TestMesh.start();
    const { ports, load, envoy, answered } = await startShop(mesh, variant);
    for (let round = 1; round <= 20; round++) {
      const to = round % 2 === 0 ? "v1" : "v2";
      const both = round % 4 < 2 ? [ports.v1, ports.v2] : [ports[to]];
      await mesh.apply({ set: [cluster("first", ...both)] });
      await answered(to);
    }
    await load.stop();
    assert.deepEqual(load.failures, []);
    assert.equal((await envoy.stats("cluster_manager.cluster_modified")).get("cluster_manager.cluster_modified"), 0);
  });

  test(`${variant}: no request fails when Envoy warms a cluster for longer than the server waits for it`, async () => {
    await using mesh = await TestMesh.start();
    const { ports, load, answered } = await startShop(mesh, variant);
    // With state of the world, Envoy waits for the endpoints, which do not exist, for longer than the server waits for Envoy.
    const edsConfig = { ads: {}, resourceApiVersion: "V3", initialFetchTimeout: "7s" };
    const resource = { "@type": clusterType, name: "unready", type: "EDS", edsClusterConfig: { edsConfig } };
    await mesh.write({ set: [{ kind: "EnvoyResource", name: "unready", spec: { resource } }] });
    await mesh.write({
      set: [cluster("second", ports.v2), route("second")],
      delete: [{ kind: "Cluster", name: "first" }],
    });
    await answered("v2");
    await load.stop();
    assert.deepEqual(load.failures, []);
  });

  test(`${variant}: a server is killed and restarted three times: no request fails, nothing unchanged is updated, and changes arrive`, async () => {
    await using mesh = await TestMesh.start();
    const { ports, load, envoy, answered } = await startShop(mesh, variant);
    await mesh.apply({ set: [cluster("second", ports.v2)] });
    const before = await updates(envoy);
    for (const [from, to, target] of [
      ["v1", "v2", "second"],
      ["v2", "v1", "first"],
      ["v1", "v2", "second"],
    ] as const) {
      await mesh.kill();
      await answered(from);
      await mesh.restart();
      // Envoy waits up to 5 s between two attempts.
      await eventually(
        async () => (await mesh.proxies()).some(({ state }) => state === "synced"),
        "the proxy is synced",
      );
      await mesh.apply({ set: [route(target)] });
      await answered(to);
    }
    await load.stop();
    assert.deepEqual(load.failures, []);
    const after = await updates(envoy);
    assert.deepEqual(after.changes, before.changes);
    // A state-of-the-world client cannot say which versions it has, so it gets all of them once more.
    if (variant === "delta") assert.deepEqual(after.received, before.received.with(2, (before.received[2] ?? 0) + 3));
  });
}

/** Envoy's counts: of updates that it received (clusters, listeners, routes), and of what it added, changed or removed. */
async function updates(envoy: RunningEnvoy) {
  const stats = await envoy.stats("update_success$|(cluster|listener)_(added|modified|removed)$");
  const of = (name: string) => stats.get(name) ?? 0;
  return {
    received: ["cluster_manager.cds", "listener_manager.lds", "http.edge.rds.edge"].map((name) =>
      of(`${name}.update_success`),
    ),
    changes: [...stats].filter(([name]) => !name.endsWith("update_success")),
  };
}
