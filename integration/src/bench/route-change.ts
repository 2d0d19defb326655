import { Agent, get } from "node:http";
import { cpus } from "node:os";
import type { XdsVariant } from "@chancery/xds-server/envoy";
import { type AnyDocument, TestMesh } from "../harness/test-mesh.ts";

/**
 * Measures the time from the admin API's response to a write until Envoy's first response by the new routes. See
 * bench/README.md.
 */
const rounds = 5;
const changesInRound = 20;
const manyDocuments = 1_000;

const edge: AnyDocument = { kind: "Listener", name: "edge", spec: { port: 0, http: { routes: ["home"] } } };
const home = (body: string): AnyDocument => ({
  kind: "Route",
  name: "home",
  spec: { hosts: ["*"], routes: [{ match: { prefix: "/" }, directResponse: { status: 200, body } }] },
});
const clusters = Array.from(
  { length: manyDocuments },
  (_, i): AnyDocument => ({
    kind: "Cluster",
    name: `c-${i}`,
    spec: { endpoints: [{ address: "127.0.0.1", port: 1024 + i }] },
  }),
);

interface Case {
  readonly variant: XdsVariant;
  readonly documents: number;
}

const cases: readonly Case[] = (["delta", "sotw"] as const).flatMap((variant) =>
  [2, 2 + manyDocuments].map((documents) => ({ variant, documents })),
);

const samples = new Map<Case, number[]>(cases.map((each) => [each, []]));
const failures = new Map<Case, number>();
for (let round = 1; round <= rounds; round++) {
  // The cases are interleaved, so that a busy minute of the machine affects all of them.
  for (const each of cases) {
    process.stderr.write(`round ${round} of ${rounds}: ${each.variant}, ${each.documents} documents\n`);
    await measure(each);
  }
}
process.stdout.write(`${cpus().length} cores, ${rounds} rounds of ${changesInRound} changes, milliseconds\n\n`);
process.stdout.write(
  "| variant | documents | median | p95 | worst | failed requests |\n| --- | --- | --- | --- | --- | --- |\n",
);
for (const each of cases) {
  const sorted = (samples.get(each) ?? []).toSorted((a, b) => a - b);
  const at = (share: number) =>
    (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(1);
  const cells = [each.variant, each.documents, at(0.5), at(0.95), at(1), failures.get(each) ?? 0];
  process.stdout.write(`| ${cells.join(" | ")} |\n`);
}

async function measure(each: Case): Promise<void> {
  await using mesh = await TestMesh.start();
  await mesh.write({ set: [edge, home("start"), ...(each.documents > 2 ? clusters : [])] });
  const envoy = await mesh.envoy({ variant: each.variant });
  const url = `http://127.0.0.1:${await envoy.listenerPort("edge")}/`;
  const load = await mesh.load(envoy);
  const agent = new Agent({ keepAlive: true });
  for (let n = 0; n < changesInRound; n++) {
    const body = `change ${n}`;
    await mesh.write({ set: [home(body)] });
    const answeredAt = performance.now();
    while ((await text(url, agent)) !== body);
    samples.get(each)?.push(performance.now() - answeredAt);
  }
  agent.destroy();
  await load.stop();
  failures.set(each, (failures.get(each) ?? 0) + load.failures.length);
}

function text(url: string, agent: Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, { agent }, (answer) => {
      let body = "";
      answer.setEncoding("utf8").on("data", (piece: string) => {
        body += piece;
      });
      answer.on("end", () => resolve(body));
    }).on("error", reject);
  });
}
