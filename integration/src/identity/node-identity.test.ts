import assert from "node:assert/strict";
import { copyFileSync, rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { connect } from "node:tls";
import { Authority, type Certificate } from "../harness/certificates.ts";
import { eventually } from "../harness/eventually.ts";
import { TestMesh } from "../harness/test-mesh.ts";

/** An authority, and the flags of a server that trusts it. `use` replaces the server's certificate files. */
async function withAuthority(t: TestContext) {
  const folder = await mkdtemp(path.join(tmpdir(), "chancery-identity-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const authority = new Authority(path.join(folder, "authority"));
  const files = { certFile: path.join(folder, "server.pem"), keyFile: path.join(folder, "server.key") };
  const use = (certificate: Certificate) => {
    copyFileSync(certificate.keyFile, files.keyFile);
    copyFileSync(certificate.certFile, files.certFile);
  };
  use(authority.issue("first", "IP:127.0.0.1"));
  const { certFile: caFile } = authority;
  const flags = ["--xds-tls-cert", files.certFile, "--xds-tls-key", files.keyFile, "--xds-tls-client-ca", caFile];
  const proxy = (name: string, subjectAltName: string) => ({ ...authority.issue(name, subjectAltName), caFile });
  return { authority, flags, proxy, use };
}

const hello = [
  {
    kind: "Route",
    name: "hello",
    spec: { hosts: ["*"], routes: [{ match: {}, directResponse: { status: 200, body: "hello" } }] },
  },
  { kind: "Listener", name: "edge", spec: { port: 0, http: { routes: ["hello"] } } },
] as const;

test("a proxy gets the configuration of the node that its certificate names, and of no other", async (t) => {
  const { flags, proxy } = await withAuthority(t);
  await using mesh = await TestMesh.start(flags);
  await mesh.apply({ set: hello });
  const byUri = proxy("uri", "URI:spiffe://mesh.example/proxies/edge-2");
  for (const [nodeId, xdsTls] of [["edge-1", proxy("dns", "DNS:edge-1")] as const, ["edge-2", byUri] as const]) {
    const envoy = await mesh.envoy({ variant: "delta", nodeId, xdsTls });
    assert.equal(await (await fetch(`http://127.0.0.1:${await envoy.listenerPort("edge")}/`)).text(), "hello");
  }
  const impostor = await mesh.envoy({ variant: "delta", nodeId: "edge-1", xdsTls: byUri, waitFor: "admin" });
  // Its connection is accepted, but each stream on it is rejected.
  const rejected = "cluster.xds_cluster.upstream_rq_total";
  await eventually(async () => ((await impostor.stats(rejected)).get(rejected) ?? 0) >= 3, "three attempts");
  assert.equal(await impostor.isReady(), false);
});

test("with --xds-node-identity none every certificate of the authority is accepted", async (t) => {
  const { flags, proxy } = await withAuthority(t);
  await using mesh = await TestMesh.start([...flags, "--xds-node-identity", "none"]);
  await mesh.apply({ set: hello });
  const envoy = await mesh.envoy({ variant: "sotw", nodeId: "edge-1", xdsTls: proxy("any", "DNS:somebody") });
  assert.equal(await (await fetch(`http://127.0.0.1:${await envoy.listenerPort("edge")}/`)).text(), "hello");
});

test("new connections use a renewed certificate, but no certificate that does not match its key", async (t) => {
  const { authority, flags, use } = await withAuthority(t);
  await using mesh = await TestMesh.start([...flags, "--limit", "tlsReloadMs=10"]);
  const shown = () => shownBy(mesh.xds);
  assert.equal(await shown(), "first");
  const second = authority.issue("second", "IP:127.0.0.1");
  const other = authority.issue("other", "IP:127.0.0.1");
  use({ certFile: other.certFile, keyFile: second.keyFile });
  // Each attempt takes longer than the interval at which the server checks the files.
  for (let attempt = 0; attempt < 20; attempt++) assert.equal(await shown(), "first");
  use(second);
  const seen = new Set<string | undefined>();
  await eventually(async () => seen.add(await shown().catch(String)).has("second"), "the second certificate");
  assert.deepEqual(
    [...seen].filter((name) => name !== "first" && name !== "second"),
    [],
  );
});

/** The common name of the certificate that a server presents. */
async function shownBy(address: { readonly host: string; readonly port: number }): Promise<string | undefined> {
  const socket = connect({ ...address, rejectUnauthorized: false, ALPNProtocols: ["h2"] });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.once("secureConnect", resolve).once("error", reject);
  await promise;
  const { subject } = socket.getPeerCertificate();
  socket.on("error", () => {}).destroy();
  return String(subject.CN);
}
