import assert from "node:assert/strict";
import { before, test } from "node:test";
import type { RunningEnvoy } from "@chancery/xds-server/envoy";
import { builtFromSource } from "../harness/built-filter.ts";
import { eventually } from "../harness/eventually.ts";
import { type AnyDocument, TestMesh } from "../harness/test-mesh.ts";

/**
 * A filter that adds a header x-NAME to each response, with the status of a call of set_property. It traps when the
 * request's x-trap has its name. With the configuration "unloadable" it rejects its configuration in Envoy, but not in the
 * host in Node: there the clock stands at the beginning of 2025.
 */
const source = `
import {
  Context, FilterHeadersStatusValues, get_current_time_nanoseconds, get_property_string, RootContext, registerRootContext, set_property,
  stream_context,
} from "@chancery/filter-sdk";

class Root extends RootContext {
  override onConfigure(_size: u32): bool {
    return !this.getConfiguration().includes("unloadable") || get_current_time_nanoseconds() < 1748736000000000000;
  }
  override createContext(context_id: u32): Context { return new Stream(context_id, this); }
}
class Stream extends Context {
  private status: i32 = -1;
  override onRequestHeaders(_headers: u32, _end: bool): FilterHeadersStatusValues {
    if (stream_context.headers.request.get("x-trap") == get_property_string("plugin_name")) throw new Error("a trap by the test");
    this.status = set_property("seen", String.UTF8.encode("1"));
    return FilterHeadersStatusValues.Continue;
  }
  override onResponseHeaders(_headers: u32, _end: bool): FilterHeadersStatusValues {
    stream_context.headers.response.add("x-" + get_property_string("plugin_name"), this.status.toString());
    return FilterHeadersStatusValues.Continue;
  }
}
registerRootContext((context_id: u32) => new Root(context_id), "subject");
`;

let wasm: Uint8Array<ArrayBuffer>;

before(async () => {
  wasm = await builtFromSource(source);
});

const base: readonly AnyDocument[] = [
  { kind: "Route", name: "shop", spec: { hosts: ["*"], routes: [{ match: {}, directResponse: { status: 200 } }] } },
  { kind: "Listener", name: "edge", spec: { port: 0, http: { routes: ["shop"] } } },
];
const filter = (name: string, sha256: string, spec: object): AnyDocument => ({
  kind: "Filter",
  name,
  spec: { listeners: ["edge"], sha256, ...spec },
});

/** What a client sees, the status and the header of each filter: "200 must=0 may=0". */
async function ask(envoy: RunningEnvoy, trap = ""): Promise<string> {
  const url = `http://127.0.0.1:${await envoy.listenerPort("edge")}/`;
  const { status, headers } = await fetch(url, { headers: { connection: "close", "x-trap": trap } });
  const wrote = ["must", "may"]
    .map((name) => headers.get(`x-${name}`))
    .map((value, index) => (value === null ? "" : ` ${["must", "may"][index]}=${value}`));
  return `${status}${wrote.join("")}`;
}

test("a filter may make only the host calls that its document lists, and all of them without a list", async () => {
  await using mesh = await TestMesh.start();
  const sha256 = await mesh.upload("must", wasm);
  await mesh.apply({ set: [...base, filter("must", sha256, {})] });
  const envoy = await mesh.envoy({ variant: "delta" });
  assert.equal(await ask(envoy), "200 must=0");
  const calls = [
    "proxy_get_property",
    "proxy_get_header_map_pairs",
    "proxy_get_header_map_value",
    "proxy_add_header_map_value",
    "proxy_get_buffer_bytes",
  ];
  await mesh.apply({ set: [filter("must", sha256, { capabilities: calls })] });
  assert.equal(await ask(envoy), "200 must=10");
  await mesh.apply({ set: [filter("must", sha256, {})] });
  assert.equal(await ask(envoy), "200 must=0");
});

test("after a trap: closed rejects until the next push, reload recovers, open lets requests pass; other filters go on", async () => {
  await using mesh = await TestMesh.start();
  const sha256 = await mesh.upload("may", wasm);
  const both = (failure: string) => [filter("must", sha256, {}), filter("may", sha256, { failure, order: 1 })];
  await mesh.apply({ set: [...base, ...both("open")] });
  const envoy = await mesh.envoy({ variant: "delta" });
  const workers = 2;
  const trapAll = async () => {
    // Each worker has a VM of its own.
    for (let count = 0; count < 20 * workers; count++) await ask(envoy, "may");
  };
  assert.equal(await ask(envoy), "200 must=0 may=0");
  assert.match(await ask(envoy, "may"), /^503/);
  await trapAll();
  assert.equal(await ask(envoy), "200 must=0");

  await mesh.apply({ set: both("closed") });
  await eventually(async () => assert.equal(await ask(envoy), "200 must=0 may=0"), "the push loads the filter again");
  await trapAll();
  assert.match(await ask(envoy), /^503/);

  await mesh.apply({ set: both("reload") });
  await trapAll();
  await eventually(async () => assert.equal(await ask(envoy), "200 must=0 may=0"), "the filter is loaded again");
});

test("without an optional filter that a new proxy cannot load, requests pass the others; without a mandatory one, none pass", async () => {
  await using mesh = await TestMesh.start();
  const sha256 = await mesh.upload("may", wasm);
  const unloadable = (failure: string) => filter("may", sha256, { failure, config: "unloadable", order: 1 });
  await mesh.write({ set: [...base, filter("must", sha256, {}), unloadable("open")] });
  const open = await mesh.envoy({ variant: "delta", waitFor: "admin" });
  await eventually(
    async () => (await mesh.proxies()).some(({ state }) => state === "rejected"),
    "the proxy rejects the filter",
  );
  await eventually(
    async () => assert.equal(await ask(open).catch(String), "200 must=0"),
    "requests pass the mandatory filter",
  );
  const [proxy] = await mesh.proxies();
  assert.match(JSON.stringify(proxy), /filter\/may/);

  await mesh.write({ set: [unloadable("closed")] });
  const closed = await mesh.envoy({ variant: "delta", nodeId: "edge-2", waitFor: "admin" });
  await eventually(async () => /^(500|TypeError)/.test(await ask(closed).catch(String)), "requests are rejected");
  for (let count = 0; count < 10; count++) assert.doesNotMatch(await ask(closed).catch(String), /^200/);
});
