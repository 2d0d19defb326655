import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { status } from "@grpc/grpc-js";
import { resource, snapshot } from "../protocol/testing.ts";
import { proxyState } from "../proxy-status/proxy-state.ts";
import { resourceType } from "../resources/resource-types.ts";
import { setVersion } from "../resources/set-version.ts";
import { DeltaStream, SotwStream, testServer } from "./testing.ts";

const node = { id: "edge-1" };
const big = { ...resource("EDS", "big", "v1"), body: new Uint8Array(256 * 1024) };
const limits = { maxNameLength: 100, maxSubscriptions: 5, maxStreams: 20 };

describe("the discovery services over a real socket", { timeout: 20_000 }, () => {
  let at: Awaited<ReturnType<typeof testServer>>;
  before(async () => {
    at = await testServer({ limits });
    at.publish({
      default: snapshot({ CDS: { cart: "v1" }, EDS: { cart: "v1", catalog: "v1" } }),
      inner: snapshot({ CDS: { secret: "v9" } }),
    });
  });
  after(() => at.server.close());

  test("SotW responses carry names, versions, a nonce and the control plane's identifier", async () => {
    const stream = new SotwStream(at.address);
    stream.ask("EDS", { node, resourceNames: ["cart"] });
    const { typeUrl, nonce, versionInfo, resources, controlPlane } = await stream.next();
    assert.equal(typeUrl, resourceType("EDS").typeUrl);
    assert.notEqual(nonce, "");
    assert.match(versionInfo, /^[0-9a-f]{16}$/);
    assert.deepEqual(
      resources.map((any) => any.typeUrl),
      [typeUrl],
    );
    assert.equal(controlPlane?.identifier, "test-server");
    stream.close();
  });

  test("delta responses carry each resource's name and version, and the names that do not exist", async () => {
    const stream = new DeltaStream(at.address);
    stream.ask("EDS", { node, resourceNamesSubscribe: ["catalog", "ghost"] });
    const response = await stream.next();
    assert.deepEqual(
      response.resources.map(({ name, version }) => [name, version]),
      [["catalog", "v1"]],
    );
    assert.deepEqual(response.removedResources, ["ghost"]);
    assert.equal(response.controlPlane?.identifier, "test-server");
    stream.close();
  });

  test("the service of one type fills in the type URL", async () => {
    const sotw = new SotwStream(at.address, "/envoy.service.cluster.v3.ClusterDiscoveryService/StreamClusters");
    sotw.ask("CDS", { node, typeUrl: "" });
    assert.equal((await sotw.next()).typeUrl, resourceType("CDS").typeUrl);
    sotw.close();
    const delta = new DeltaStream(at.address, "/envoy.service.endpoint.v3.EndpointDiscoveryService/DeltaEndpoints");
    delta.ask("EDS", { node, resourceNamesSubscribe: ["cart"] });
    assert.equal((await delta.next()).resources.length, 1);
    delta.close();
  });

  test("a proxy gets the snapshot of its node group", async () => {
    const stream = new DeltaStream(at.address);
    stream.ask("CDS", { node: { id: "in-1", cluster: "inner" } });
    assert.deepEqual(
      (await stream.next()).resources.map(({ name }) => name),
      ["secret"],
    );
    assert.equal(at.statuses.get("in-1")?.nodeGroup, "inner");
    stream.close();
  });

  test("status shows what is pending, what is synced, and what is rejected with the proxy's reason", async () => {
    const stream = new DeltaStream(at.address);
    stream.ask("CDS", { node: { id: "watched" } });
    const { nonce } = await stream.next();
    const type = () => at.statuses.get("watched")?.streams[0]?.types[0];
    const agrees = () => {
      const summaries = [...at.statuses.overviews()].map(({ state }) => state);
      assert.deepEqual(summaries.sort(), at.statuses.all().map(proxyState).sort());
    };
    assert.equal(type()?.state, "pending");
    agrees();
    const seen = new Promise<void>((resolve) => {
      const unwatch = at.statuses.watch((id) => {
        if (id !== "watched" || type()?.state !== "rejected") return;
        unwatch();
        resolve();
      });
    });
    stream.ask("CDS", { responseNonce: nonce, errorDetail: { code: 13, message: "no such policy" } });
    await seen;
    assert.equal(type()?.resources[0]?.rejection?.reason, "no such policy");
    agrees();
    assert.ok(at.counted.includes("nacked CDS"));
    stream.close();
  });

  test("a rejection disappears from status once the rejected resource is deleted", async () => {
    const at = await testServer();
    at.publish({ default: snapshot({ CDS: { bad: "v1" }, RDS: { r: "v1" } }) });
    const stream = new DeltaStream(at.address);
    stream.ask("CDS", { node: { id: "once" } });
    const seen = new Promise<void>((resolve) => {
      at.statuses.watch(() => at.statuses.get("once")?.streams[0]?.types[0]?.state === "rejected" && resolve());
    });
    stream.ask("CDS", { responseNonce: (await stream.next()).nonce, errorDetail: { code: 13, message: "no" } });
    await seen;
    stream.ask("RDS", { resourceNamesSubscribe: ["r"] });
    stream.ask("RDS", { responseNonce: (await stream.next()).nonce });
    at.publish({ default: snapshot({ RDS: { r: "v2" } }) });
    assert.equal((await stream.next()).typeUrl, resourceType("RDS").typeUrl);
    // The deletion waits for the routes. The rejected version is not wanted any more.
    assert.equal(at.statuses.get("once")?.streams[0]?.types[0]?.state, "pending");
    stream.close();
    at.server.close();
  });

  const badRequests: [string, (stream: SotwStream) => void, status, RegExp][] = [
    ["garbage instead of a message", (s) => s.send(randomBytes(300)), status.INVALID_ARGUMENT, /decoded/],
    [
      "an unknown type URL",
      (s) => s.ask("CDS", { node, typeUrl: "type.googleapis.com/no.Such" }),
      status.INVALID_ARGUMENT,
      /"type.googleapis.com\/no.Such" is not served/,
    ],
    ["no node", (s) => s.ask("CDS", {}), status.INVALID_ARGUMENT, /must carry a node/],
    [
      "a node without id",
      (s) => s.ask("CDS", { node: { cluster: "c" } }),
      status.INVALID_ARGUMENT,
      /must carry a node/,
    ],
    ["a huge node id", (s) => s.ask("CDS", { node: { id: "n".repeat(101) } }), status.INVALID_ARGUMENT, /over 100/],
    [
      "a huge resource name",
      (s) => s.ask("EDS", { node, resourceNames: ["n".repeat(101)] }),
      status.INVALID_ARGUMENT,
      /over 100/,
    ],
    [
      "too many names",
      (s) => s.ask("EDS", { node, resourceNames: ["a", "b", "c", "d", "e", "f"] }),
      status.RESOURCE_EXHAUSTED,
      /over 5 names/,
    ],
  ];
  for (const [what, send, code, message] of badRequests) {
    test(`${what} ends that stream with ${status[code]} and leaves the others alone`, async () => {
      const other = new SotwStream(at.address);
      other.ask("CDS", { node: { id: "bystander" } });
      const { nonce } = await other.next();
      const bad = new SotwStream(at.address);
      send(bad);
      const ended = await bad.ended;
      assert.equal(ended.code, code);
      assert.match(ended.details, message);
      bad.close();
      other.ask("CDS", { responseNonce: nonce });
      other.ask("EDS", { resourceNames: ["cart"] });
      assert.equal((await other.next()).resources.length, 1);
      other.close();
    });
  }

  test("a service of one type rejects another type", async () => {
    const stream = new SotwStream(at.address, "/envoy.service.cluster.v3.ClusterDiscoveryService/StreamClusters");
    stream.ask("LDS", { node });
    assert.equal((await stream.ended).code, status.INVALID_ARGUMENT);
    stream.close();
  });
});

describe("a full server", { timeout: 20_000 }, () => {
  test("rejects one stream more than its limit, and accepts it when another has ended", async () => {
    const at = await testServer({ limits: { maxStreams: 1 } });
    at.publish({ default: snapshot({ CDS: { cart: "v1" } }) });
    const first = new SotwStream(at.address);
    first.ask("CDS", { node });
    await first.next();
    const second = new SotwStream(at.address);
    assert.equal((await second.ended).code, status.RESOURCE_EXHAUSTED);
    const gone = new Promise<void>((resolve) => {
      at.statuses.watch(() => at.statuses.get("edge-1")?.streams.length === 0 && resolve());
    });
    first.close();
    await gone;
    const third = new SotwStream(at.address);
    third.ask("CDS", { node });
    assert.equal((await third.next()).resources.length, 1);
    third.close();
    second.close();
    at.server.close();
  });

  test("has room again after it ended streams itself, even when the client goes on sending", async () => {
    const at = await testServer({ limits: { maxStreams: 2 } });
    at.publish({ default: snapshot({ CDS: { cart: "v1" } }) });
    for (let count = 0; count < 5; count += 1) {
      const bad = new SotwStream(at.address);
      bad.send(randomBytes(300));
      bad.ask("CDS", { node: { id: "talks-on" } });
      assert.equal((await bad.ended).code, status.INVALID_ARGUMENT);
      bad.close();
    }
    assert.equal(at.statuses.get("talks-on"), undefined);
    const stream = new SotwStream(at.address);
    stream.ask("CDS", { node });
    assert.equal((await stream.next()).resources.length, 1);
    stream.close();
    at.server.close();
  });

  test("answers UNAVAILABLE while nothing is published, instead of sending an empty state", async () => {
    const at = await testServer();
    const early = new SotwStream(at.address);
    early.ask("CDS", { node });
    const { code, details } = await early.ended;
    assert.equal(code, status.UNAVAILABLE);
    assert.match(details, /nothing was published yet/);
    early.close();
    at.server.close();
  });

  test("does not read on while a client leaves its responses unread, and keeps serving the others", async () => {
    const at = await testServer();
    const endpoints = new Map([["big", big]]);
    at.publish({ default: { resources: new Map([[resourceType("EDS").typeUrl, endpoints]]) } });
    const nonce = (count: number) => (count === 1 ? setVersion(endpoints) : `${setVersion(endpoints)}.${count}`);
    const greedy = new DeltaStream(at.address);
    greedy.pause();
    const asked = 400;
    greedy.ask("EDS", { node, resourceNamesSubscribe: ["big"] });
    // Nonces can be guessed, so only what the client reads can hold it back.
    for (let count = 1; count < asked; count += 1)
      greedy.ask("EDS", { responseNonce: nonce(count), resourceNamesSubscribe: ["big"] });
    const other = new DeltaStream(at.address);
    const rounds = 30;
    for (let round = 0; round < rounds; round += 1) {
      const answering = round === 0 ? { node: { id: "other" } } : { responseNonce: nonce(round) };
      other.ask("EDS", { ...answering, resourceNamesSubscribe: ["big"] });
      assert.equal((await other.next()).resources.length, 1);
    }
    other.close();
    assert.ok(
      at.counted.length < rounds + asked / 2,
      `${at.counted.length} responses were made for a client that reads none`,
    );
    greedy.resume();
    for (let count = 0; count < asked; count += 1) await greedy.next();
    greedy.close();
    at.server.close();
  });

  test("ends a stream whose node message is too large, and keeps nothing of it", async () => {
    const at = await testServer({ limits: { maxNodeLength: 1000 } });
    at.publish({ default: snapshot({}) });
    const stream = new SotwStream(at.address);
    stream.ask("CDS", { node: { id: "wordy", metadata: { text: "m".repeat(1000) } } });
    const { code, details } = await stream.ended;
    assert.equal(code, status.INVALID_ARGUMENT);
    assert.match(details, /node .* over 1000/);
    assert.equal(at.statuses.get("wordy"), undefined);
    stream.close();
    at.server.close();
  });

  test("counts a name once, however often a client sends it", async () => {
    const at = await testServer({ limits: { maxSubscriptions: 2 } });
    at.publish({ default: snapshot({ EDS: { a: "1", b: "1" } }) });
    const sotw = new SotwStream(at.address);
    sotw.ask("EDS", { node, resourceNames: ["a", "b"] });
    const { nonce, versionInfo } = await sotw.next();
    sotw.ask("EDS", { responseNonce: nonce, versionInfo, resourceNames: ["a", "b"] });
    sotw.ask("CDS", {});
    assert.equal((await sotw.next()).typeUrl, resourceType("CDS").typeUrl);
    sotw.close();
    const delta = new DeltaStream(at.address);
    const initialResourceVersions = { a: "0", b: "0" };
    delta.ask("EDS", { node, resourceNamesSubscribe: ["a", "b"], initialResourceVersions });
    delta.ask("EDS", { responseNonce: (await delta.next()).nonce, resourceNamesSubscribe: ["a"] });
    assert.equal((await delta.next()).resources.length, 1);
    delta.close();
    at.server.close();
  });

  test("truncates a very long reason", async () => {
    const at = await testServer({ limits: { maxReasonLength: 10 } });
    at.publish({ default: snapshot({ CDS: { cart: "v1" } }) });
    const stream = new DeltaStream(at.address);
    stream.ask("CDS", { node });
    const { nonce } = await stream.next();
    const rejected = new Promise<string | undefined>((resolve) => {
      at.statuses.watch(() =>
        resolve(at.statuses.get("edge-1")?.streams[0]?.types[0]?.resources[0]?.rejection?.reason),
      );
    });
    stream.ask("CDS", { responseNonce: nonce, errorDetail: { code: 13, message: "0123456789abc" } });
    assert.equal(await rejected, "0123456789");
    stream.close();
    at.server.close();
  });

  test("rejects one stream of a node more than its limit, and accepts streams of other nodes", async () => {
    const at = await testServer({ limits: { maxStreamsPerNode: 1 } });
    at.publish({ default: snapshot({ CDS: { cart: "v1" } }) });
    const ask = (id: string) => {
      const stream = new SotwStream(at.address);
      stream.ask("CDS", { node: { id } });
      return stream;
    };
    const first = ask("edge-1");
    await first.next();
    const second = ask("edge-1");
    const { code, details } = await second.ended;
    assert.deepEqual([code, details], [status.RESOURCE_EXHAUSTED, 'Node "edge-1" has 1 streams already']);
    const other = ask("edge-2");
    assert.equal((await other.next()).resources.length, 1);
    const gone = new Promise<void>((resolve) => {
      at.statuses.watch(() => at.statuses.get("edge-1")?.streams.length === 0 && resolve());
    });
    first.close();
    await gone;
    const third = ask("edge-1");
    assert.equal((await third.next()).resources.length, 1);
    for (const stream of [second, other, third]) stream.close();
    at.server.close();
  });

  test("moves a proxy when its group changes, and looks the group up only when groups may have changed", async () => {
    const at = await testServer();
    const snapshots = (version: string) =>
      new Map([
        ["one", snapshot({ CDS: { first: version } })],
        ["two", snapshot({ CDS: { second: version } })],
      ]);
    let asked = 0;
    const groupOne = () => {
      asked += 1;
      return "one";
    };
    at.cache.set({ snapshots: snapshots("v1"), groupOf: groupOne });
    const stream = new DeltaStream(at.address);
    const next = async () => {
      const { resources, removedResources, nonce } = await stream.next();
      stream.ask("CDS", { responseNonce: nonce });
      return [resources.map(({ name, version }) => `${name} ${version}`), removedResources];
    };
    stream.ask("CDS", { node });
    assert.deepEqual(await next(), [["first v1"], []]);
    at.cache.set({ snapshots: snapshots("v2"), groupOf: groupOne });
    assert.deepEqual(await next(), [["first v2"], []]);
    assert.equal(asked, 1);
    at.cache.set({ snapshots: snapshots("v2"), groupOf: () => "two" });
    assert.deepEqual(await next(), [["second v2"], ["first"]]);
    assert.equal(at.statuses.get(node.id)?.nodeGroup, "two");
    stream.close();
    at.server.close();
  });

  test("ends a stream whose response would be too large, and names the response", async () => {
    const at = await testServer({ limits: { maxMessageBytes: 100_000 } });
    at.publish({ default: { resources: new Map([[resourceType("EDS").typeUrl, new Map([["big", big]])]]) } });
    const stream = new DeltaStream(at.address);
    stream.ask("EDS", { node, resourceNamesSubscribe: ["big"] });
    const { code, details } = await stream.ended;
    assert.equal(code, status.RESOURCE_EXHAUSTED);
    assert.match(details, /^The EDS response has 262\d\d\d bytes; the maximum is 100000 \(--limit maxMessageBytes\)/);
    stream.close();
    at.server.close();
  });

  test("remembers the latest proxies that disconnected", async () => {
    const at = await testServer();
    at.publish({ default: snapshot({}) });
    for (const id of ["a", "b", "c"]) {
      const stream = new SotwStream(at.address);
      stream.ask("CDS", { node: { id } });
      await stream.next();
      const gone = new Promise<void>((resolve) => {
        at.statuses.watch(() => at.statuses.get(id)?.streams.length === 0 && resolve());
      });
      stream.close();
      await gone;
    }
    assert.deepEqual(
      at.statuses.all().map(({ nodeId }) => nodeId),
      ["b", "c"],
    );
    at.server.close();
  });
});
