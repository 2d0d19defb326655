import assert from "node:assert/strict";
import { readFileSync, rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { toBinary } from "@bufbuild/protobuf";
import { credentials } from "@grpc/grpc-js";
import { ClientResourceStatus } from "xds-proto-ts/envoy/admin/v3/config_dump_shared";
import {
  type ClientStatusResponse,
  ClientStatusResponseSchema,
  ConfigStatus,
} from "xds-proto-ts/envoy/service/status/v3/csds";
import { Authority } from "../harness/certificates.ts";
import { type AnyDocument, TestMesh } from "../harness/test-mesh.ts";
import { clientStatus } from "./client-status-client.ts";

const type = (name: string) => `type.googleapis.com/envoy.${name}`;
const raw = (name: string, resource: object): AnyDocument => ({
  kind: "EnvoyResource",
  name,
  spec: { resource: { name, ...resource } },
});
const listener = (name: string): AnyDocument => ({
  kind: "Listener",
  name,
  spec: { port: 0, http: { routes: ["hello"] } },
});
const hello: AnyDocument = {
  kind: "Route",
  name: "hello",
  spec: { hosts: ["*"], routes: [{ match: {}, directResponse: { status: 200, body: "hello" } }] },
};

/** "LDS edge SYNCED ACKED" */
function lines({ config }: ClientStatusResponse): readonly string[] {
  return config.flatMap(({ genericXdsConfigs }) =>
    genericXdsConfigs.map(
      ({ typeUrl, name, configStatus, clientStatus: state }) =>
        `${typeUrl.split(".").at(-1)} ${name} ${ConfigStatus[configStatus]} ${ClientResourceStatus[state]}`,
    ),
  );
}

for (const variant of ["delta", "sotw"] as const) {
  test(`${variant}: client status shows what an Envoy accepted, what it rejected and why, and no private key`, async (t) => {
    const folder = await mkdtemp(path.join(tmpdir(), "chancery-csds-"));
    t.after(() => rmSync(folder, { recursive: true }));
    const { certFile, keyFile } = new Authority(path.join(folder, "authority")).issue("edge", "DNS:shop.test");
    const [certificate = "", key = ""] = [certFile, keyFile].map((file) => readFileSync(file, "utf8"));
    await using mesh = await TestMesh.start();
    const secret = raw("edge-tls", {
      "@type": type("extensions.transport_sockets.tls.v3.Secret"),
      tls_certificate: { certificate_chain: { inline_string: certificate }, private_key: { inline_string: key } },
    });
    const sds = { name: "edge-tls", sds_config: { ads: {}, resource_api_version: "V3" } };
    const cluster = raw("pay", {
      "@type": type("config.cluster.v3.Cluster"),
      type: "STATIC",
      transport_socket: {
        name: "tls",
        typed_config: {
          "@type": type("extensions.transport_sockets.tls.v3.UpstreamTlsContext"),
          common_tls_context: { tls_certificate_sds_secret_configs: [sds] },
        },
      },
    });
    await mesh.apply({ set: [hello, listener("edge"), secret, cluster] });
    await mesh.envoy({ variant });
    const response = await clientStatus(mesh.xds, {});
    assert.deepEqual(
      lines(response).toSorted(),
      ["Cluster pay", "Listener edge", "RouteConfiguration edge", "Secret edge-tls"].map(
        (what) => `${what} SYNCED ACKED`,
      ),
    );
    const text = Buffer.from(toBinary(ClientStatusResponseSchema, response)).toString();
    assert.ok(text.includes(certificate), "the certificate is shown");
    assert.ok(!text.includes(key.split("\n")[1] ?? key), "the private key is not shown");
    assert.equal(response.config[0]?.node?.id, "edge-1");

    const bad = raw("bad", {
      "@type": type("config.listener.v3.Listener"),
      address: { pipe: { path: "/nowhere/at/all" } },
    });
    await mesh.write({ set: [bad] }, "10s");
    const rejected = (
      await clientStatus(mesh.xds, { excludeResourceContents: true })
    ).config[0]?.genericXdsConfigs.find(({ name }) => name === "bad");
    assert.deepEqual(
      [rejected?.configStatus, rejected?.clientStatus],
      [ConfigStatus.ERROR, ClientResourceStatus.NACKED],
    );
    assert.match(rejected?.errorState?.details ?? "", /bad/);
    assert.equal(rejected?.xdsConfig, undefined);
  });
}

test("over mutual TLS a proxy may read its own status, and a named reader that of all proxies", async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), "chancery-csds-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const authority = new Authority(path.join(folder, "authority"));
  const server = authority.issue("server", "IP:127.0.0.1,DNS:xds.test");
  const { certFile: caFile } = authority;
  const tls = ["--xds-tls-cert", server.certFile, "--xds-tls-key", server.keyFile, "--xds-tls-client-ca", caFile];
  await using mesh = await TestMesh.start([...tls, "--client-status-reader", "console"]);
  await mesh.apply({ set: [hello, listener("edge")] });
  for (const nodeId of ["edge-1", "edge-2"])
    await mesh.envoy({ variant: "delta", nodeId, xdsTls: { ...authority.issue(nodeId, `DNS:${nodeId}`), caFile } });
  const seenBy = async (name: string) => {
    const { certFile, keyFile } = authority.issue(`${name}-client`, `DNS:${name}`);
    const [ca, key, certificate] = [caFile, keyFile, certFile].map((file) => readFileSync(file)) as [
      Buffer,
      Buffer,
      Buffer,
    ];
    const { config } = await clientStatus(mesh.xds, {}, credentials.createSsl(ca, key, certificate));
    return config.map(({ node }) => node?.id);
  };
  assert.deepEqual(await seenBy("edge-2"), ["edge-2"]);
  assert.deepEqual(await seenBy("console"), ["edge-1", "edge-2"]);
});
