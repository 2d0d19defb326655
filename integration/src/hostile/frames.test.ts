import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { ClientStream } from "../conformance/client-stream.ts";
import { resource, typesIn, type Variant } from "../conformance/resources.ts";
import { eventually } from "../harness/eventually.ts";
import { type AnyDocument, TestMesh } from "../harness/test-mesh.ts";
import type { Campaign, CampaignReport } from "./client.ts";

const frames = Number(process.env["CHANCERY_HOSTILE_FRAMES"] ?? 10_000);
const seed = Number(process.env["CHANCERY_HOSTILE_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const publishEveryMs = 100;
const maxHangMs = 1_000;
/** How much the server's memory may grow after the first tenth of the attack, in bytes, by garbage not yet collected. */
const maxGrowth = 64 * 1024 * 1024;

/** Two resources of each type. One of them, a cluster, changes all the time. */
const served = typesIn("delta").flatMap((type) =>
  (type === "VHDS" ? ["shop/a", "shop/b"] : ["a", "b"]).map((name) => resource(type, name)),
);
const document = ({ type, name, json }: ReturnType<typeof resource>): AnyDocument => ({
  kind: "EnvoyResource",
  name: `${type}.${name.replace("/", ".")}`,
  spec: { resource: json },
});

/** Runs a campaign in a thread of its own, so that it does not delay what this thread measures. */
async function attack(t: TestContext, campaign: Campaign): Promise<CampaignReport> {
  const worker = new Worker(new URL("./client.js", import.meta.url), { workerData: campaign });
  t.after(() => worker.terminate());
  const { promise, resolve, reject } = Promise.withResolvers<CampaignReport>();
  worker.once("message", resolve).once("error", reject);
  return promise;
}

/** The bytes in use, from the server's metrics. */
async function memoryOf(mesh: TestMesh): Promise<number> {
  const text = await mesh.metrics();
  const bytes = (name: string) => Number(new RegExp(`^${name} (.*)$`, "m").exec(text)?.[1]);
  return bytes("nodejs_heap_size_used_bytes") + bytes("nodejs_external_memory_bytes");
}

test(`${frames} hostile frames harm neither the server nor other clients (seed ${seed})`, async (t) => {
  // The log would have a line for each end of a stream. Some closed connections are only found by a keep-alive ping.
  const flags = ["--log-level", "error", "--limit", "keepAliveMs=2000", "--limit", "keepAliveTimeoutMs=2000"];
  await using mesh = await TestMesh.start(flags);
  await mesh.apply({ set: served.map(document) });
  const bystanders = (["sotw", "delta"] as const).map((variant) => bystander(mesh, variant));
  t.after(() => {
    for (const each of bystanders) each.close();
  });
  let revision = 1;
  let slowestMs = 0;
  for (const each of bystanders) {
    each.subscribe("CDS", "a");
    await each.takes("CDS a@1");
  }
  const changeArrives = async (): Promise<void> => {
    revision += 1;
    const start = performance.now();
    await mesh.write({ set: [document(resource("CDS", "a", revision))] });
    for (const each of bystanders) await each.takes(`CDS a@${revision}`);
    slowestMs = Math.max(slowestMs, performance.now() - start);
  };
  const during = async (work: Promise<CampaignReport>): Promise<CampaignReport> => {
    let isOver = false;
    const over = work.finally(() => {
      isOver = true;
    });
    while (!isOver) {
      await changeArrives();
      await delay(publishEveryMs);
    }
    return over;
  };
  const first = await during(attack(t, { ...mesh.xds, seed, from: 0, frames: frames / 10 }));
  const before = await memoryOf(mesh);
  const rest = await during(attack(t, { ...mesh.xds, seed, from: first.attacks, frames: (frames * 9) / 10 }));
  const reports = [first, rest];
  assert.deepEqual(
    reports.flatMap(({ faults }) => faults),
    [],
  );
  assert.ok(slowestMs < maxHangMs, `a change took ${slowestMs} ms to reach two streams`);
  let after = 0;
  const faults: unknown[] = [];
  await eventually(
    async () => {
      await changeArrives().catch((error: unknown) => faults.push(error));
      after = await memoryOf(mesh);
      return faults.length > 0 || after < before + maxGrowth;
    },
    "free memory after the attack",
    60_000,
  );
  assert.deepEqual(faults, []);
  const count = reports.reduce((sum, each) => sum + each.frames, 0);
  const mib = (bytes: number) => Math.round(bytes / 1024 / 1024);
  t.diagnostic(
    `${count} frames, ${revision} changes, the slowest took ${Math.round(slowestMs)} ms, memory ${mib(before)} and then ${mib(after)} MiB`,
  );
  t.diagnostic(JSON.stringify(Object.fromEntries(rest.ends)));
});

/** A well-behaved client. */
function bystander({ xds }: TestMesh, variant: Variant): ClientStream {
  const method = variant === "sotw" ? "StreamAggregatedResources" : "DeltaAggregatedResources";
  return new ClientStream({
    address: `${xds.host}:${xds.port}`,
    path: `/envoy.service.discovery.v3.AggregatedDiscoveryService/${method}`,
    variant,
    nodeId: `bystander-${variant}`,
    features: [],
    patienceMs: 10_000,
    maxResponses: Number.POSITIVE_INFINITY,
  });
}
