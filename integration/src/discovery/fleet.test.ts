import assert from "node:assert/strict";
import { test } from "node:test";
import type { RunningEnvoy } from "@chancery/xds-server/envoy";
import { eventually } from "../harness/eventually.ts";
import { Load } from "../harness/load.ts";
import { type AnyDocument, TestMesh } from "../harness/test-mesh.ts";

const size = Number(process.env["CHANCERY_FLEET"] ?? 50);
/** The number of Envoys that are started at once. */
const startedAtOnce = 5;

const listener = (requestTimeout: string): AnyDocument => ({
  kind: "Listener",
  name: "edge",
  spec: { port: 0, http: { routes: ["shop"], requestTimeout } },
});
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

test(`${size} Envoys of both variants follow changes of clusters, routes, endpoints and a listener, and no request fails`, async (t) => {
  await using mesh = await TestMesh.start();
  const service = (name: string) => mesh.serviceNamed(name, { afterMs: 10 });
  const ports = { v1: await service("v1"), v2: await service("v2"), v3: await service("v3") };
  await mesh.apply({ set: [listener("5m"), route("first"), cluster("first", ports.v1)] });

  process.setMaxListeners(size + process.getMaxListeners()); // each started program has a listener that ends it with the process
  const envoys: RunningEnvoy[] = [];
  while (envoys.length < size) {
    const starting = Array.from({ length: Math.min(startedAtOnce, size - envoys.length) }, (_, index) => {
      const number = envoys.length + index;
      const variant = number % 2 === 0 ? "delta" : "sotw";
      return mesh.envoy({ variant, nodeId: `edge-${number}`, concurrency: 1 });
    });
    envoys.push(...(await Promise.all(starting)));
  }
  const urls = await Promise.all(envoys.map(async (envoy) => `http://127.0.0.1:${await envoy.listenerPort("edge")}/`));
  await using load = new Load(...urls);
  /** Waits until this service has answered two more requests for each Envoy. The load goes to the Envoys in turn. */
  const answered = async (name: string) => {
    const before = load.answered(name);
    await eventually(async () => load.answered(name) >= before + 2 * size, `more answers of ${name}`);
  };
  await answered("v1");

  const started = performance.now();
  await mesh.apply({
    set: [cluster("second", ports.v2), route("second")],
    delete: [{ kind: "Cluster", name: "first" }],
  });
  await answered("v2");
  await mesh.apply({ set: [cluster("second", ports.v1, ports.v3)] });
  await answered("v3");
  await mesh.apply({ set: [listener("1m")] });
  await answered("v1");
  await mesh.apply({
    set: [listener("2m"), cluster("third", ports.v2), route("third")],
    delete: [{ kind: "Cluster", name: "second" }],
  });
  await answered("v2");
  const took = performance.now() - started;

  await load.stop();
  assert.deepEqual(load.failures, []);
  assert.deepEqual(
    (await mesh.proxies()).map(({ state }) => state),
    Array.from({ length: size }, () => "synced"),
  );
  const total = ["v1", "v2", "v3"].reduce((sum, name) => sum + load.answered(name), 0);
  t.diagnostic(`${size} Envoys, four changes in ${Math.round(took)} ms, ${total} requests`);
});
