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
/** What the server may hold more after the attack than after its first tenth, in bytes: waste that is not yet collected. */
const maxGrowth = 64 * 1024 * 1024;

/** Something of each type, and one cluster that changes all the time. */
const served = typesIn("delta").flatMap((type) =>
  (type === "VHDS" ? ["shop/a", "shop/b"] : ["a", "b"]).map((name) => resource(type, name)),
);
const document = ({ type, name, json }: ReturnType<typeof resource>): AnyDocument => ({
  kind: "EnvoyResource",
  name: `${type}.${name.replace("/", ".")}`,
  spec: { resource: json },
});

/** Attacks from a thread of its own, so that it does not hold up what is measured here. */
async function attack(t: TestContext, campaign: Campaign): Promise<CampaignReport> {
  const worker = new Worker(new URL("./client.js", import.meta.url), { workerData: campaign });
  t.after(() => worker.terminate());
  const { promise, resolve, reject } = Promise.withResolvers<CampaignReport>();
  worker.once("message", resolve).once("error", reject);
  return promise;
}

/** Bytes that are in use, as the server tells them itself. */
async function memoryOf(mesh: TestMesh): Promise<number> {
  const text = await mesh.metrics();
  const bytes = (name: string) => Number(new RegExp(`^${name} (.*)$`, "m").exec(text)?.[1]);
  return bytes("nodejs_heap_size_used_bytes") + bytes("nodejs_external_memory_bytes");
}

test(`${frames} hostile frames harm nobody, beginning with the seed ${seed}`, async (t) => {
  // Each end of a stream is a line of the log. Some connections are known to be gone only when they do not answer.
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
  const goesOn = async (): Promise<void> => {
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
      await goesOn();
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
      await goesOn().catch((error: unknown) => faults.push(error));
      after = await memoryOf(mesh);
      return faults.length > 0 || after < before + maxGrowth;
    },
    "memory that is given back",
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
