import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import type { XdsVariant } from "@chancery/xds-server/envoy";
import { eventually } from "../harness/eventually.ts";
import { freePort } from "../harness/free-port.ts";
import { get } from "../harness/get.ts";
import { repository } from "../harness/server-process.ts";
import { TestMesh } from "../harness/test-mesh.ts";

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

/** Starts two services and an Envoy. `apply` writes a listener on a free port, with a route to the first service. */
async function startShop(mesh: TestMesh, variant: XdsVariant) {
  const [v1, v2] = [await mesh.serviceNamed("v1"), await mesh.serviceNamed("v2")];
  await mesh.envoy({ variant, concurrency: 1 });
  const port = await freePort();
  const documents = [cluster("v1", v1), cluster("v2", v2), route("v1"), listener("shop-edge", port)];
  return { port, apply: () => mesh.chancery(["apply", "-f", "-"], JSON.stringify(documents)) };
}

for (const variant of ["delta", "sotw"] as const) {
  test(`${variant}: a mesh serves once apply says "synced"; a changed route serves within 100 ms, and no request fails`, async () => {
    await using mesh = await TestMesh.start();
    const { port, apply } = await startShop(mesh, variant);
    const applied = await apply();
    assert.equal(applied.exitCode, 0, applied.stdout + applied.stderr);
    assert.match(applied.stdout, /edge-1 +synced/);
    assert.equal((await get(port)).text, "v1");

    // The minimum of a few rounds, because the machine may be busy with other tests.
    const delays: number[] = [];
    for (const to of ["v2", "v1", "v2", "v1", "v2"]) {
      await mesh.put("/api/v1/routes/shop", route(to));
      const answered = performance.now();
      const statuses = new Set<number>();
      await eventually(async () => {
        const { status, text } = await get(port);
        statuses.add(status);
        return text === to;
      }, `traffic to ${to}`);
      assert.deepEqual([...statuses], [200]);
      delays.push(performance.now() - answered);
    }
    assert.ok(Math.min(...delays) < 100, `took ${delays.map(Math.round).join(", ")} ms`);
  });

  test(`${variant}: apply and status report a rejection with Envoy's reason, and restore ends it`, async () => {
    await using mesh = await TestMesh.start();
    const { port, apply } = await startShop(mesh, variant);
    await apply();
    const missing = { certFile: "/nowhere/tls.crt", keyFile: "/nowhere/tls.key" };
    const bad = {
      ...listener("shop-edge", port),
      spec: { ...listener("shop-edge", port).spec, tls: missing },
    };
    const rejected = await mesh.chancery(["apply", "-f", "-"], JSON.stringify(bad));
    assert.equal(rejected.exitCode, 1, rejected.stdout);
    assert.match(rejected.stdout, /edge-1 +rejected +LDS shop-edge: .*\/nowhere\/tls\.key/);
    const status = await mesh.chancery(["status"]);
    assert.match(status.stdout, /LDS +rejected +1 +shop-edge: .*\/nowhere\/tls\.key/);
    assert.equal((await get(port)).text, "v1");
    const restored = await mesh.chancery(["restore", "1"]);
    assert.equal(restored.exitCode, 0, restored.stdout + restored.stderr);
    assert.doesNotMatch((await mesh.chancery(["status"])).stdout, /rejected|pending/);
  });

  test(`${variant}: a push of an edited filter swaps it under load: no request fails, and none passes unfiltered`, async () => {
    await using mesh = await TestMesh.start();
    const { port, apply } = await startShop(mesh, variant);
    await apply();
    const policy = path.join(repository, "filters/request-policy");
    const pushed = await mesh.chancery(["filter", "push", policy, "--to", "shop-edge"]);
    assert.equal(pushed.exitCode, 0, pushed.stdout + pushed.stderr);

    const edited = mkdtempSync(path.join(tmpdir(), "chancery-edited-"));
    cpSync(policy, edited, { recursive: true });
    const file = path.join(edited, "assembly", "verdict.ts");
    const source = readFileSync(file, "utf8");
    assert.match(source, /x-policy-reason/);
    writeFileSync(file, source.replace("x-policy-reason", "x-policy-edited"));
    // The filter answers /internal/ itself. An unfiltered request would get 200 from "v1".
    const ask = async () => {
      const { status, headers } = await get(port, "/internal/x");
      return `${status}${headers.has("x-policy-reason") ? " old" : ""}${headers.has("x-policy-edited") ? " new" : ""}`;
    };
    const answers: string[] = [];
    let isLoaded = true;
    const load = Array.from({ length: 4 }, async () => {
      while (isLoaded) answers.push(await ask());
    });
    const swapped = await mesh.chancery(["filter", "push", edited]);
    const later = await Promise.all(Array.from({ length: 20 }, ask));
    isLoaded = false;
    await Promise.all(load);
    rmSync(edited, { recursive: true });
    assert.equal(swapped.exitCode, 0, swapped.stdout + swapped.stderr);
    assert.deepEqual([...new Set(answers)].sort(), ["404 new", "404 old"]);
    assert.deepEqual([...new Set(later)], ["404 new"]);
  });

  test(`${variant}: a pushed filter acts at once; when Envoy rejects a version, the one before acts again`, async () => {
    await using mesh = await TestMesh.start();
    const { port, apply } = await startShop(mesh, variant);
    await apply();
    const policy = path.join(repository, "filters/request-policy");
    const pushed = await mesh.chancery(["filter", "push", policy, "--to", "shop-edge"]);
    assert.equal(pushed.exitCode, 0, pushed.stdout + pushed.stderr);
    assert.equal((await get(port, "/internal/x")).status, 404);
    assert.equal((await get(port, "/cart")).text, "v1");

    const folder = mkdtempSync(path.join(tmpdir(), "chancery-picky-"));
    writeFileSync(
      path.join(folder, "package.json"),
      JSON.stringify({ name: "picky", chancery: { filter: "request-policy" } }),
    );
    mkdirSync(path.join(folder, "assembly"));
    writeFileSync(path.join(folder, "assembly", "index.ts"), pickySource);
    const rejected = await mesh.chancery(["filter", "push", folder]);
    rmSync(folder, { recursive: true });
    assert.equal(rejected.exitCode, 1, rejected.stdout + rejected.stderr);
    assert.match(rejected.stderr, /Proxy "edge-1" rejected filter "request-policy": ECDS filter\/request-policy: /);
    assert.match(rejected.stderr, /back at version/);
    assert.equal((await get(port, "/internal/x")).status, 404);
    assert.doesNotMatch((await mesh.chancery(["status"])).stdout, /rejected|pending/);
  });
}

test("the admin API shows the resources that Envoy was sent", async () => {
  await using mesh = await TestMesh.start();
  const { apply } = await startShop(mesh, "delta");
  await apply();
  const { streams } = await mesh.read<{
    streams: { types: { type: string; resources: { name: string; resource: { name: string } }[] }[] }[];
  }>("/api/v1/proxies/edge-1/config");
  const sent = new Map(streams.flatMap(({ types }) => types).map(({ type, resources }) => [type, resources]));
  assert.deepEqual(
    sent.get("CDS")?.map(({ name }) => name),
    ["v1", "v2"],
  );
  assert.equal(sent.get("RDS")?.[0]?.resource.name, "shop-edge");
});

/** Accepts its configuration everywhere but in a proxy: only a proxy has a node id. */
const pickySource = `
import { Context, get_property_string, RootContext, registerRootContext } from "@chancery/filter-sdk";
class Picky extends RootContext {
  override onConfigure(_size: u32): bool { return get_property_string("xds.node.id").length == 0; }
  override createContext(context_id: u32): Context { return new Context(context_id, this); }
}
registerRootContext((context_id: u32) => new Picky(context_id), "picky");
`;
