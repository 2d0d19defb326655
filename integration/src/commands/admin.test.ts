import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { type Edge, startEdge } from "../harness/admin-setup.ts";
import { eventually } from "../harness/eventually.ts";
import { repository } from "../harness/server-process.ts";

const cluster = (name: string, port: number) => ({
  kind: "Cluster",
  name,
  spec: { endpoints: [{ address: "127.0.0.1", port }] },
});
const route = (to: string) => ({
  kind: "Route",
  name: "shop",
  spec: { hosts: ["*"], routes: [{ match: { prefix: "/" }, cluster: to }] },
});
const listener = (name: string, port: number) => ({
  kind: "Listener",
  name,
  spec: { port, http: { routes: ["shop"] } },
});
const mesh = ({ ports, port }: Edge) => [
  cluster("v1", ports.v1),
  cluster("v2", ports.v2),
  route("v1"),
  listener("shop-edge", port),
];

for (const variant of ["delta", "sotw"] as const) {
  test(`${variant}: what apply says is live is live, and a changed route is within 100 ms, nothing failing`, async () => {
    await using edge = await startEdge(variant);
    const applied = await edge.chancery(["apply", "-f", "-"], JSON.stringify(mesh(edge)));
    assert.equal(applied.exitCode, 0, applied.stdout + applied.stderr);
    assert.match(applied.stdout, /edge-1 +synced/);
    assert.equal((await edge.get()).text, "v1");

    // The least of a few rounds: the machine may be busy with other tests, the server may not.
    const delays: number[] = [];
    for (const to of ["v2", "v1", "v2", "v1", "v2"]) {
      await edge.put("/api/v1/routes/shop", route(to));
      const answered = performance.now();
      const statuses = new Set<number>();
      await eventually(async () => {
        const { status, text } = await edge.get();
        statuses.add(status);
        return text === to;
      }, `traffic to ${to}`);
      assert.deepEqual([...statuses], [200]);
      delays.push(performance.now() - answered);
    }
    assert.ok(Math.min(...delays) < 100, `took ${delays.map(Math.round).join(", ")} ms`);
  });

  test(`${variant}: a refusal is told with Envoy's own reason, by apply and by status, and ends with restore`, async () => {
    await using edge = await startEdge(variant);
    await edge.chancery(["apply", "-f", "-"], JSON.stringify(mesh(edge)));
    const missing = { certFile: "/nowhere/tls.crt", keyFile: "/nowhere/tls.key" };
    const bad = {
      ...listener("shop-edge", edge.port),
      spec: { ...listener("shop-edge", edge.port).spec, tls: missing },
    };
    const refused = await edge.chancery(["apply", "-f", "-"], JSON.stringify(bad));
    assert.equal(refused.exitCode, 1, refused.stdout);
    assert.match(refused.stdout, /edge-1 +refused +LDS shop-edge: .*\/nowhere\/tls\.key/);
    const status = await edge.chancery(["status"]);
    assert.match(status.stdout, /LDS +refused +1 +shop-edge: .*\/nowhere\/tls\.key/);
    assert.equal((await edge.get()).text, "v1");
    const restored = await edge.chancery(["restore", "1"]);
    assert.equal(restored.exitCode, 0, restored.stdout + restored.stderr);
    assert.doesNotMatch((await edge.chancery(["status"])).stdout, /refused|pending/);
  });

  test(`${variant}: pushing an edited filter swaps it under load: nothing fails, nothing passes without it`, async () => {
    await using edge = await startEdge(variant);
    await edge.chancery(["apply", "-f", "-"], JSON.stringify(mesh(edge)));
    const policy = path.join(repository, "filters/request-policy");
    const pushed = await edge.chancery(["filter", "push", policy, "--to", "shop-edge"]);
    assert.equal(pushed.exitCode, 0, pushed.stdout + pushed.stderr);

    const edited = mkdtempSync(path.join(tmpdir(), "chancery-edited-"));
    cpSync(policy, edited, { recursive: true });
    const file = path.join(edited, "assembly", "verdict.ts");
    const source = readFileSync(file, "utf8");
    assert.match(source, /x-policy-reason/);
    writeFileSync(file, source.replace("x-policy-reason", "x-policy-edited"));
    // The filter answers /internal/ itself: a request that passed without it would be answered by "v1" with 200.
    const ask = async () => {
      const { status, headers } = await edge.get("/internal/x");
      return `${status}${headers.has("x-policy-reason") ? " old" : ""}${headers.has("x-policy-edited") ? " new" : ""}`;
    };
    const answers: string[] = [];
    let isLoaded = true;
    const load = Array.from({ length: 4 }, async () => {
      while (isLoaded) answers.push(await ask());
    });
    const swapped = await edge.chancery(["filter", "push", edited]);
    const later = await Promise.all(Array.from({ length: 20 }, ask));
    isLoaded = false;
    await Promise.all(load);
    rmSync(edited, { recursive: true });
    assert.equal(swapped.exitCode, 0, swapped.stdout + swapped.stderr);
    assert.deepEqual([...new Set(answers)].sort(), ["404 new", "404 old"]);
    assert.deepEqual([...new Set(later)], ["404 new"]);
  });

  test(`${variant}: a pushed filter acts at once; one that Envoy refuses is put back`, async () => {
    await using edge = await startEdge(variant);
    await edge.chancery(["apply", "-f", "-"], JSON.stringify(mesh(edge)));
    const policy = path.join(repository, "filters/request-policy");
    const pushed = await edge.chancery(["filter", "push", policy, "--to", "shop-edge"]);
    assert.equal(pushed.exitCode, 0, pushed.stdout + pushed.stderr);
    assert.equal((await edge.get("/internal/x")).status, 404);
    assert.equal((await edge.get("/cart")).text, "v1");

    const folder = mkdtempSync(path.join(tmpdir(), "chancery-picky-"));
    writeFileSync(
      path.join(folder, "package.json"),
      JSON.stringify({ name: "picky", chancery: { filter: "request-policy" } }),
    );
    mkdirSync(path.join(folder, "assembly"));
    writeFileSync(path.join(folder, "assembly", "index.ts"), pickySource);
    const refused = await edge.chancery(["filter", "push", folder]);
    rmSync(folder, { recursive: true });
    assert.equal(refused.exitCode, 1, refused.stdout + refused.stderr);
    assert.match(refused.stderr, /Proxy "edge-1" refused filter "request-policy": ECDS filter\/request-policy: /);
    assert.match(refused.stderr, /back at version/);
    assert.equal((await edge.get("/internal/x")).status, 404);
    assert.doesNotMatch((await edge.chancery(["status"])).stdout, /refused|pending/);
  });
}

test("shows what Envoy was sent", async () => {
  await using edge = await startEdge("delta");
  await edge.chancery(["apply", "-f", "-"], JSON.stringify(mesh(edge)));
  const answer = await fetch(new URL("/api/v1/proxies/edge-1/config", edge.admin));
  const { streams } = (await answer.json()) as {
    streams: { types: { type: string; resources: { name: string; resource: { name: string } }[] }[] }[];
  };
  const sent = new Map(streams.flatMap(({ types }) => types).map(({ type, resources }) => [type, resources]));
  assert.deepEqual(
    sent.get("CDS")?.map(({ name }) => name),
    ["v1", "v2"],
  );
  assert.equal(sent.get("RDS")?.[0]?.resource.name, "shop-edge");
});

/** Loads anywhere but in a proxy: only there is a node to ask for. */
const pickySource = `
import { Context, get_property_string, RootContext, registerRootContext } from "@chancery/filter-sdk";
class Picky extends RootContext {
  override onConfigure(_size: u32): bool { return get_property_string("xds.node.id").length == 0; }
  override createContext(context_id: u32): Context { return new Context(context_id, this); }
}
registerRootContext((context_id: u32) => new Picky(context_id), "picky");
`;
