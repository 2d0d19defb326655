import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import type { RunningEnvoy } from "@chancery/xds-server/envoy";
import { builtFilter, writeFilter } from "../harness/built-filter.ts";
import { freePort } from "../harness/free-port.ts";
import { get } from "../harness/get.ts";
import { TestMesh } from "../harness/test-mesh.ts";

const runs = Number(process.env["CANARY_RUNS"] ?? 1);
const folder = mkdtempSync(path.join(tmpdir(), "chancery-canary-"));

/** A filter that adds its version to each response. One in `trapsOneIn` requests traps; 0: none. */
const source = (name: string, trapsOneIn: number) => `
import { Context, FilterHeadersStatusValues, RootContext, registerRootContext, stream_context } from "@chancery/filter-sdk";
class Root extends RootContext {
  seen: u32 = 0;
  override createContext(context_id: u32): Context { return new Stream(context_id, this); }
}
class Stream extends Context {
  override onRequestHeaders(_headers: u32, _end: bool): FilterHeadersStatusValues {
    const root = this.root_context as Root;
    root.seen++;
    if (${trapsOneIn} > 0 && root.seen % ${trapsOneIn || 1} == 0) throw new Error("a trap by the test");
    return FilterHeadersStatusValues.Continue;
  }
  override onResponseHeaders(_headers: u32, _end: bool): FilterHeadersStatusValues {
    stream_context.headers.response.add("x-version", "${name}");
    return FilterHeadersStatusValues.Continue;
  }
}
registerRootContext((context_id: u32) => new Root(context_id), "subject");
`;

/** The module's file: DIR/NAME/subject.wasm. */
const moduleOf = (name: string): string => path.join(folder, name, "build", "subject.wasm");

before(async () => {
  for (const [name, trapsOneIn] of [
    ["old", 0],
    ["good", 0],
    ["bad", 10],
  ] as const) {
    writeFilter(path.join(folder, name), source(name, trapsOneIn));
    await builtFilter(path.join(folder, name));
  }
});
after(() => rmSync(folder, { recursive: true }));

test("a canary that fails one request in ten is rolled back in under 10 s, and gets no more than its share of requests", async () => {
  await using mesh = await TestMesh.start();
  const edge = await startEdge(mesh);
  for (let run = 0; run < runs; run++) {
    await using load = startLoad(edge.port);
    await load.warm();
    const started = performance.now();
    const ended = await push(mesh, edge, "bad", "1%", "30s");
    const seconds = (performance.now() - started) / 1000;
    await load.settled();
    const { answers, broken } = load;
    assert.equal(ended.exitCode, 1, ended.stdout + ended.stderr);
    assert.match(
      ended.stderr,
      /Version \S+ of filter "subject" was rolled back: \d+ of its \d+ requests failed; with the old version, 0/,
    );
    const touched = (answers.get("503 null") ?? 0) + (answers.get("200 bad") ?? 0);
    const all = [...answers.values()].reduce((sum, count) => sum + count, 0);
    const figures = `${touched} of ${all} requests in ${seconds.toFixed(1)} s`;
    if (runs > 1) console.log(`run ${run + 1}: ${figures}`);
    // Three standard deviations above a share of 1%.
    assert.ok(touched <= 0.01 * all + 3 * Math.sqrt(0.01 * all), figures);
    assert.ok(seconds < 10, figures);
    assert.equal(broken, 0);
    assert.deepEqual(
      [...answers.keys()].filter((seen) => !/^(200 (old|bad)|503 null)$/.test(seen)),
      [],
      "none unfiltered",
    );
    assert.match((await mesh.chancery(["filter", "list"])).stdout, /subject[^\n]*shop-edge\n?$/);
  }
});

test("a good canary gets all requests step by step; no request fails or is unfiltered", async () => {
  await using mesh = await TestMesh.start();
  const edge = await startEdge(mesh);
  await using load = startLoad(edge.port);
  await load.warm();
  const ended = await push(mesh, edge, "good", "5%", "1s");
  await load.settled();
  assert.equal(ended.exitCode, 0, ended.stdout + ended.stderr);
  assert.match(ended.stdout, /5% of the requests[\s\S]*50% of the requests[\s\S]*for all requests/);
  assert.deepEqual([...load.answers.keys()].sort(), ["200 good", "200 old"]);
  assert.equal(load.broken, 0);
  assert.equal((await get(edge.port)).headers.get("x-version"), "good");
});

test("a route that changes during a canary is served at once", async () => {
  await using mesh = await TestMesh.start();
  const edge = await startEdge(mesh);
  const wait = "?wait=10s";
  const ports = { v1: await mesh.serviceNamed("v1"), v2: await mesh.serviceNamed("v2") };
  const cluster = (name: "v1" | "v2") => ({
    kind: "Cluster",
    name,
    spec: { endpoints: [{ address: "127.0.0.1", port: ports[name] }] },
  });
  const route = (cluster: string) => ({
    kind: "Route",
    name: "shop",
    spec: { hosts: ["*"], routes: [{ match: {}, cluster }] },
  });
  for (const name of ["v1", "v2"] as const) await mesh.put(`/api/v1/clusters/${name}${wait}`, cluster(name));
  await mesh.put(`/api/v1/routes/shop${wait}`, route("v1"));
  const { spec } = await mesh.read<{ readonly spec: { readonly sha256: string } }>("/api/v1/filters/subject");
  const canary = { sha256: spec.sha256, percent: 50 };
  await mesh.put(`/api/v1/filters/subject${wait}`, { kind: "Filter", name: "subject", spec: { ...spec, canary } });
  const answers = async () =>
    new Set(await Promise.all(Array.from({ length: 20 }, async () => (await get(edge.port)).text)));
  assert.deepEqual([...(await answers())], ["v1"]);
  await mesh.put(`/api/v1/routes/shop${wait}`, route("v2"));
  assert.deepEqual([...(await answers())], ["v2"]);
});

interface Edge {
  readonly envoy: RunningEnvoy;
  readonly port: number;
}

/** Starts an Envoy with a listener on which the old version runs for all requests. */
async function startEdge(mesh: TestMesh): Promise<Edge> {
  const envoy = await mesh.envoy({ variant: "delta", concurrency: 1 });
  const port = await freePort();
  const documents = [
    { kind: "Route", name: "shop", spec: { hosts: ["*"], routes: [{ match: {}, directResponse: { status: 200 } }] } },
    { kind: "Listener", name: "shop-edge", spec: { port, http: { routes: ["shop"], accessLog: false } } },
  ];
  const applied = await mesh.chancery(["apply", "-f", "-"], JSON.stringify(documents));
  assert.equal(applied.exitCode, 0, applied.stdout + applied.stderr);
  const pushed = await mesh.chancery(["filter", "push", moduleOf("old"), "--to", "shop-edge"]);
  assert.equal(pushed.exitCode, 0, pushed.stdout + pushed.stderr);
  return { envoy, port };
}

function push(mesh: TestMesh, { envoy: { adminHost, adminPort } }: Edge, name: string, share: string, step: string) {
  const envoy = `http://${adminHost}:${adminPort}`;
  return mesh.chancery(["filter", "push", moduleOf(name), "--canary", share, "--step", step, "--envoy", envoy]);
}

interface SteadyLoad extends AsyncDisposable {
  /** The number of responses with each status and version, by both: "200 good". */
  readonly answers: Map<string, number>;
  /** Requests without an answer. */
  readonly broken: number;
  /** Sends some requests, and counts from then on. */
  warm(): Promise<void>;
  /** Stops sending, and waits until all requests are answered. */
  settled(): Promise<void>;
}

/** Starts eight clients. Each sends one request after the other on a kept connection. */
function startLoad(port: number): SteadyLoad {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 8 });
  const answers = new Map<string, number>();
  let broken = 0;
  let isOver = false;
  const ask = () =>
    new Promise<void>((resolve) => {
      const sent = http.get({ host: "127.0.0.1", port, agent }, (answer) => {
        const seen = `${answer.statusCode} ${answer.headers["x-version"] ?? null}`;
        answers.set(seen, (answers.get(seen) ?? 0) + 1);
        answer.resume().on("end", resolve);
      });
      sent.on("error", () => {
        broken++;
        resolve();
      });
    });
  const clients = Array.from({ length: 8 }, async () => {
    while (!isOver) await ask();
  });
  const settled = async () => {
    isOver = true;
    await Promise.all(clients);
  };
  return {
    answers,
    get broken() {
      return broken;
    },
    async warm() {
      for (let count = 0; count < 50; count++) await ask();
      answers.clear();
    },
    settled,
    async [Symbol.asyncDispose]() {
      await settled();
      agent.destroy();
    },
  };
}
