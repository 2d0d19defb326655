import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { RunningEnvoy } from "@chancery/xds-server/envoy";
import { eventually } from "../harness/eventually.ts";
import { type AnyDocument, TestMesh } from "../harness/test-mesh.ts";
import { clientStatus } from "../status/client-status-client.ts";

const variants = ["delta", "sotw"] as const;

const cluster = (port: number): AnyDocument => ({
  kind: "Cluster",
  name: "shop",
  spec: { endpoints: [{ address: "127.0.0.1", port }] },
});
const mesh = (port: number): readonly AnyDocument[] => [
  cluster(port),
  { kind: "Route", name: "shop", spec: { hosts: ["*"], routes: [{ match: {}, cluster: "shop" }] } },
  { kind: "Listener", name: "edge", spec: { port: 0, http: { routes: ["shop"] } } },
];
const answering = (body: string): AnyDocument => ({
  kind: "Route",
  name: "shop",
  spec: { hosts: ["*"], routes: [{ match: {}, directResponse: { status: 200, body } }] },
});

/** The running processes that a process has started. */
function childrenOf(pid: number): readonly number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);
}

const isRunning = (pid: number): boolean => {
  try {
    // A process that has ended is a zombie until its parent waits for it.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
};

interface Stream {
  readonly id: number;
}

test("several processes serve as one: pushes, status, rejections, groups, loads, client status and metrics", async () => {
  await using at = await TestMesh.start(["--workers", "2", "--limit", "loadReportIntervalMs=200"]);
  const port = await at.serviceNamed("ok");
  await at.apply({ set: mesh(port) });
  // Started one after the other, so that each gets another worker.
  const envoys: RunningEnvoy[] = [];
  for (const variant of variants) envoys.push(await at.envoy({ variant, nodeId: variant, loadReports: true }));
  const answers = () =>
    Promise.all(
      envoys.map(async (envoy) => (await fetch(`http://127.0.0.1:${await envoy.listenerPort("edge")}/`)).text()),
    );
  await eventually(async () => assert.equal((await answers()).join(), "ok,ok"), "both serve");

  const streamOf = async (nodeId: string) =>
    (await at.read<{ streams: readonly Stream[] }>(`/api/v1/proxies/${nodeId}`)).streams[0]?.id ?? 0;
  const [one, other] = await Promise.all(variants.map(streamOf));
  assert.ok(Math.abs((one ?? 0) - (other ?? 0)) > 1_000_000, `streams ${one} and ${other} are of two processes`);

  const load = async () => (await at.read<{ items: { proxies: number; issued: number }[] }>("/api/v1/load")).items[0];
  await eventually(async () => {
    await answers();
    return (await load())?.proxies === 2;
  }, "both proxies report their load");

  const bad = {
    kind: "EnvoyResource",
    name: "bad",
    spec: {
      resource: {
        "@type": "type.googleapis.com/envoy.config.listener.v3.Listener",
        name: "bad",
        address: { pipe: { path: "/nowhere/at/all" } },
      },
    },
  } as const;
  const outcomes = await at.write({ set: [answering("new"), bad] }, "10s");
  assert.deepEqual(
    outcomes.map(({ nodeId, state, rejections }) => [nodeId, state, rejections.map(({ name }) => name)]),
    variants.map((variant) => [variant, "rejected", ["bad"]]),
  );
  await eventually(async () => assert.equal((await answers()).join(), "new,new"), "both serve the new route");
  await at.apply({ delete: [{ kind: "EnvoyResource", name: "bad" }] });

  const { config } = await clientStatus(at.xds, {});
  assert.deepEqual(
    config.map(({ node }) => node?.id),
    variants,
  );
  // A rejected request gets the usual message, although another process answers.
  await assert.rejects(
    clientStatus(at.xds, { nodeMatchers: [{ nodeId: { matchPattern: { case: "prefix", value: "" } } }] }),
    /INVALID_ARGUMENT: The request is not valid/,
  );

  const metrics = await at.metrics();
  for (const variant of variants) assert.match(metrics, new RegExp(`^chancery_streams{variant="${variant}"} 1$`, "m"));
  assert.match(metrics, /^chancery_proxies{group="default",state="synced"} 2$/m);
  assert.match(metrics, /^chancery_nacks_total{type="LDS"} 2$/m);
  for (const worker of [1, 2])
    assert.match(metrics, new RegExp(`^chancery_worker_resident_memory_bytes{worker="${worker}"} \\d{8,}$`, "m"));

  const moved = { kind: "NodeGroup", name: "moved", spec: { match: { ids: ["sotw"] } } };
  await at.apply({ set: [moved] as readonly AnyDocument[] });
  const groups = (await at.read<{ items: { nodeId: string; nodeGroup: string }[] }>("/api/v1/proxies")).items;
  assert.deepEqual(
    groups.map(({ nodeId, nodeGroup }) => [nodeId, nodeGroup]),
    [
      ["delta", "default"],
      ["sotw", "moved"],
    ],
  );
});

test("writes that wait get the status of every worker's proxies, even during many other writes", async () => {
  await using at = await TestMesh.start(["--workers", "2"]);
  const port = await at.serviceNamed("ok");
  await at.apply({ set: mesh(port) });
  const envoys: RunningEnvoy[] = [];
  for (const variant of variants) envoys.push(await at.envoy({ variant, nodeId: variant }));
  /** The routes of Envoy's main thread. It has each accepted version at once; its worker threads follow. */
  const routesOf = (envoy: RunningEnvoy) => envoy.admin("/config_dump?resource=dynamic_route_configs");
  let isDone = false;
  const others = (async () => {
    for (let number = 0; !isDone; number += 1)
      await at.write({ set: [{ ...cluster(port), name: `other-${number % 7}` }] });
  })();
  try {
    for (let number = 0; number < 20; number += 1) {
      const body = String(number);
      await at.apply({ set: [answering(body)] });
      for (const envoy of envoys) assert.match(await routesOf(envoy), new RegExp(`"inline_string": "${body}"`));
    }
  } finally {
    isDone = true;
    await others;
  }
});

test("a worker that dies or hangs is replaced, its proxies come back, and no request fails", async () => {
  await using at = await TestMesh.start([..."--workers 2 --log-level fatal --limit workerAnswerMs=1000".split(" ")]);
  const port = await at.serviceNamed("ok");
  await at.apply({ set: mesh(port) });
  const envoys: RunningEnvoy[] = [];
  for (const variant of variants) envoys.push(await at.envoy({ variant, nodeId: variant }));
  const loads = await Promise.all(envoys.map((envoy) => at.load(envoy)));
  const failures = () => loads.flatMap((load) => load.failures);
  const [first = 0, second = 0] = childrenOf(at.serverPid);

  for (const [pid, signal] of [
    [first, "SIGKILL"],
    [second, "SIGSTOP"],
  ] as const) {
    process.kill(pid, signal);
    await eventually(() => !isRunning(pid), "the worker has ended");
    await eventually(() => childrenOf(at.serverPid).length === 2, "a new worker");
    const body = `after ${signal}`;
    await eventually(
      async () => (await at.proxies()).filter(({ state }) => state === "synced").length === 2,
      "all proxies are synced",
    );
    await at.apply({ set: [answering(body)] });
    const isServed = () => loads.every((load) => load.answered(body) > 0);
    await eventually(() => failures().length > 0 || isServed(), `the change after ${signal}`);
    assert.deepEqual(failures(), []);
  }
  assert.deepEqual(failures(), []);
});

test("workers end with the server, also when the server is killed", async () => {
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    await using at = await TestMesh.start(["--workers", "2"]);
    const workers = childrenOf(at.serverPid);
    assert.equal(workers.length, 2);
    await at.end(signal);
    await eventually(() => !workers.some(isRunning), `all workers have ended after ${signal}`);
  }
});
