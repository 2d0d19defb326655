import assert from "node:assert/strict";
import http from "node:http";
import { before, test } from "node:test";
import { builtFromSource } from "../harness/built-filter.ts";
import { residentKiB } from "../harness/resident-memory.ts";
import { type AnyDocument, TestMesh } from "../harness/test-mesh.ts";

/** The number of swaps. bench/README.md has the figures of 1,000 swaps. */
const swaps = Number(process.env["SWAPS"] ?? 20);

/** A filter that sends its configuration, which is the number of the swap, to upstream and to the client. */
const source = `
import { Context, FilterHeadersStatusValues, RootContext, registerRootContext, stream_context } from "@chancery/filter-sdk";
class Root extends RootContext {
  override createContext(context_id: u32): Context { return new Stream(context_id, this); }
}
class Stream extends Context {
  override onRequestHeaders(_headers: u32, _end: bool): FilterHeadersStatusValues {
    stream_context.headers.request.replace("x-swap", this.root_context.getConfiguration());
    return FilterHeadersStatusValues.Continue;
  }
  override onResponseHeaders(_headers: u32, _end: bool): FilterHeadersStatusValues {
    stream_context.headers.response.add("x-swap", this.root_context.getConfiguration());
    return FilterHeadersStatusValues.Continue;
  }
}
registerRootContext((context_id: u32) => new Root(context_id), "subject");
`;

let wasm: Uint8Array;

before(async () => {
  wasm = await builtFromSource(source);
});

test(`${swaps} swaps under load: no request fails or passes unfiltered, no connection closes, and each swap acts at once`, async (t) => {
  // The server keeps a limited number of old versions. The first swaps reach these limits.
  await using mesh = await TestMesh.start(["--limit", "keepRevisions=100", "--limit", "maxModules=200"]);
  // Slow, so that streams are under way while the filter is swapped.
  const upstream = await mesh.service((request, response) => {
    setTimeout(() => response.end(request.headers["x-swap"] ?? "unfiltered"), 10);
  });
  await mesh.apply({ set: documents(upstream) });
  const upload = (swap: number) => mesh.upload("subject", distinct(wasm, swap));
  const change = (sha256: string, swap: number) => ({
    set: [{ kind: "Filter", name: "subject", spec: { listeners: ["edge"], sha256, config: swap } }] as const,
  });
  await mesh.apply(change(await upload(0), 0));
  const envoy = await mesh.envoy({ variant: "delta", concurrency: 1 });
  const now = `http://127.0.0.1:${await envoy.listenerPort("edge")}/now`;
  const agent = new http.Agent({ keepAlive: true });
  t.after(() => agent.destroy());
  await using load = await mesh.load(envoy);

  const uploads: number[] = [];
  const delays: number[] = [];
  const memory: number[] = [];
  const serverMemory: number[] = [];
  for (let swap = 1; swap <= swaps; swap++) {
    const began = performance.now();
    const sha256 = await upload(swap);
    const uploaded = performance.now();
    await mesh.write(change(sha256, swap));
    for (let sent = 0; (await swapSeen(now, agent)) !== String(swap); sent++) {
      assert.ok(sent < 10_000, `swap ${swap} does not act`);
    }
    delays.push(performance.now() - uploaded);
    uploads.push(uploaded - began);
    memory.push(await residentKiB(envoy.pid));
    serverMemory.push(await residentKiB(mesh.serverPid));
  }
  const connections = await envoy.stats("^http\\.edge\\.downstream_cx_(total|active)$");
  const closed =
    Number(connections.get("http.edge.downstream_cx_total")) -
    Number(connections.get("http.edge.downstream_cx_active"));
  await load.stop();

  t.diagnostic(`milliseconds: upload ${figures(uploads)}; from write to first request ${figures(delays)}`);
  t.diagnostic(`resident memory: Envoy ${growth(memory)}; server ${growth(serverMemory)}`);
  assert.deepEqual(load.failures, []);
  assert.equal(closed, 0);
  assert.equal(load.answered("unfiltered"), 0);
  // The minimum, because the machine may be busy with other tests. Envoy's compiler takes half of it.
  assert.ok(Math.min(...delays) < 100, `took ${delays.map(Math.round).join(", ")} ms`);
});

function documents(upstream: number): readonly AnyDocument[] {
  const now = { match: { path: "/now" }, directResponse: { status: 200 } };
  return [
    { kind: "Cluster", name: "upstream", spec: { endpoints: [{ address: "127.0.0.1", port: upstream }] } },
    { kind: "Route", name: "home", spec: { hosts: ["*"], routes: [now, { match: {}, cluster: "upstream" }] } },
    { kind: "Listener", name: "edge", spec: { port: 0, http: { routes: ["home"], accessLog: false } } },
  ];
}

/** The same code in other bytes: the module gets a custom section with the number of the swap. */
function distinct(module: Uint8Array, swap: number): Uint8Array<ArrayBuffer> {
  const number = String(swap).padStart(8, "0");
  const section = `swap${number}`;
  return new Uint8Array(Buffer.concat([module, Buffer.from([0, 1 + section.length, 4]), Buffer.from(section)]));
}

function swapSeen(url: string, agent: http.Agent): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const sent = http.get(url, { agent }, (answer) =>
      answer.resume().on("end", () => resolve(answer.headers["x-swap"])),
    );
    sent.on("error", reject);
  });
}

function figures(values: readonly number[]): string {
  return `median ${at(values, 0.5).toFixed(1)}, p95 ${at(values, 0.95).toFixed(1)}, worst ${at(values, 1).toFixed(1)}`;
}

/** The growth from the second fifth of the swaps, when memory has settled, to the last fifth. */
function growth(memory: readonly number[]): string {
  const fifth = Math.floor(memory.length / 5);
  const [settled, last] = [at(memory.slice(fifth, 2 * fifth), 0.5), at(memory.slice(-fifth), 0.5)];
  return `${settled} to ${last} KiB, ${((last / settled - 1) * 100).toFixed(1)}%`;
}

function at(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
