import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync, rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { type ClientHttp2Session, connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Duplex } from "node:stream";
import { type TestContext, test } from "node:test";
import { connect as connectTls } from "node:tls";
import { Authority } from "../harness/certificates.ts";
import { eventually } from "../harness/eventually.ts";
import { type AnyDocument, TestMesh } from "../harness/test-mesh.ts";

const answering = (body: string): readonly AnyDocument[] => [
  {
    kind: "Route",
    name: "hello",
    spec: { hosts: ["*"], routes: [{ match: {}, directResponse: { status: 200, body } }] },
  },
  { kind: "Listener", name: "edge", spec: { port: 0, http: { routes: ["hello"] } } },
];

async function withAuthority(t: TestContext) {
  const folder = await mkdtemp(path.join(tmpdir(), "chancery-xds-tls-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const authority = new Authority(path.join(folder, "ours"));
  const otherAuthority = new Authority(path.join(folder, "theirs"));
  const server = authority.issue("server", "IP:127.0.0.1,DNS:xds.mesh");
  const { certFile: caFile } = authority;
  const flags = ["--xds-tls-cert", server.certFile, "--xds-tls-key", server.keyFile, "--xds-tls-client-ca", caFile];
  return {
    flags,
    caFile,
    proxy: { ...authority.issue("proxy", "DNS:edge-1,DNS:edge-2"), caFile },
    otherProxy: { ...otherAuthority.issue("proxy", "DNS:edge-1"), caFile },
  };
}

for (const variant of ["delta", "sotw"] as const) {
  test(`${variant}: over mutual TLS an Envoy gets its configuration, but not with another authority or server name`, async (t) => {
    const { flags, proxy, otherProxy } = await withAuthority(t);
    await using mesh = await TestMesh.start(flags);
    await mesh.apply({ set: answering("over TLS") });
    for (const [nodeId, named] of [["edge-1", {}] as const, ["edge-2", { serverName: "xds.mesh" }] as const]) {
      const envoy = await mesh.envoy({ variant, nodeId, xdsTls: { ...proxy, ...named } });
      const answer = await fetch(`http://127.0.0.1:${await envoy.listenerPort("edge")}/`);
      assert.equal(await answer.text(), "over TLS");
    }

    const rejectedBy = async (stat: string, xdsTls: typeof proxy & { readonly serverName?: string }) => {
      const envoy = await mesh.envoy({ variant, nodeId: "stranger", xdsTls, waitFor: "admin" });
      const name = `cluster.xds_cluster.${stat}`;
      await eventually(async () => ((await envoy.stats(name)).get(name) ?? 0) >= 2, `two attempts count as ${stat}`);
      assert.equal(await envoy.isReady(), false);
    };
    await rejectedBy("upstream_cx_connect_fail", otherProxy);
    await rejectedBy("ssl.fail_verify_san", { ...proxy, serverName: "other.mesh" });
    const known = (await mesh.proxies()).map(({ nodeId }) => nodeId);
    assert.ok(!known.includes("stranger"), `known are ${known}`);
  });
}

test("over mutual TLS the server disconnects a client that has no certificate, uses no TLS, or sends nothing", async (t) => {
  const { flags, caFile } = await withAuthority(t);
  await using mesh = await TestMesh.start([...flags, "--limit", "handshakeTimeoutMs=500"]);
  const trusting = { ...mesh.xds, ca: readFileSync(caFile), ALPNProtocols: ["h2"] };
  await over(connect(mesh.xds).resume(), "close");
  for (const socket of [connectTls(trusting), connect(mesh.xds)]) {
    const received: Buffer[] = [];
    socket.on("data", (bytes: Buffer) => received.push(bytes)).on("error", () => {});
    socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    await over(socket, "close");
    assert.ok(Buffer.concat(received).length < 9, "the server sent no HTTP/2 frame");
  }
});

test("during two hundred streams of garbage an Envoy keeps its configuration and gets each change", async (t) => {
  await using mesh = await TestMesh.start();
  await mesh.apply({ set: answering("round 0") });
  const envoy = await mesh.envoy({ variant: "delta" });
  const load = await mesh.load(envoy);
  // At the end the server closes first, which is an error for the session.
  const session = connectHttp2(`http://${mesh.xds.host}:${mesh.xds.port}`).on("error", () => {});
  t.after(() => session.destroy());

  const raw = async (bytes: Buffer) => {
    const socket = connect(mesh.xds).on("error", () => {});
    socket.write(bytes);
    await over(socket.resume(), "close");
    return "closed";
  };
  for (let round = 1; round <= 5; round++) {
    const garbage = Array.from({ length: 10 }, () => [
      raw(randomBytes(2000)),
      status(session, "StreamAggregatedResources", framed(randomBytes(500))),
      status(session, "DeltaAggregatedResources", framed(Buffer.alloc(64, 0xff))),
      // A header that announces four gigabytes.
      status(session, "DeltaAggregatedResources", Buffer.from([0, 0xff, 0xff, 0xff, 0xff, 1])),
    ]).flat();
    await mesh.apply({ set: answering(`round ${round}`) });
    await eventually(async () => load.answered(`round ${round}`) >= 10, `answers of round ${round}`);
    const ends = new Set(await Promise.all(garbage));
    assert.deepEqual([...ends].sort(), ["3", "8", "closed"]);
  }
  await load.stop();
  assert.deepEqual(load.failures, []);
  assert.deepEqual(
    (await mesh.proxies()).map(({ nodeId, state }) => `${nodeId} ${state}`),
    ["edge-1 synced"],
  );
});

/** A gRPC message. */
function framed(message: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** Sends these bytes on a new stream. Returns the gRPC status that ends the stream. */
async function status(session: ClientHttp2Session, method: string, bytes: Buffer): Promise<unknown> {
  const stream = session.request({
    ":method": "POST",
    ":path": `/envoy.service.discovery.v3.AggregatedDiscoveryService/${method}`,
    "content-type": "application/grpc",
    te: "trailers",
  });
  let ended: unknown;
  for (const event of ["response", "trailers"]) {
    stream.on(event, (headers: Record<string, string>) => {
      ended = headers["grpc-status"] ?? ended;
    });
  }
  stream.on("error", () => {});
  stream.write(bytes);
  await over(stream.resume(), "end");
  stream.destroy();
  return ended;
}

/** Waits for the event, with or without an error before it. */
async function over(stream: Duplex, event: "end" | "close"): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  stream.once(event, () => resolve());
  await promise;
}
