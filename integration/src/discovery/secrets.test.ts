import assert from "node:assert/strict";
import { readFileSync, rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { Authority } from "../harness/certificates.ts";
import { type AnyDocument, TestMesh } from "../harness/test-mesh.ts";

const type = (name: string) => `type.googleapis.com/envoy.${name}`;
const raw = (name: string, resource: object): AnyDocument => ({
  kind: "EnvoyResource",
  name,
  spec: { resource: { name, ...resource } },
});

for (const variant of ["delta", "sotw"] as const) {
  test(`${variant}: a cluster that is added and deleted with its secret delays no other`, async (t) => {
    const folder = await mkdtemp(path.join(tmpdir(), "chancery-secrets-"));
    t.after(() => rmSync(folder, { recursive: true }));
    const ca = readFileSync(new Authority(path.join(folder, "authority")).certFile, "utf8");
    await using mesh = await TestMesh.start();
    const secret = raw("ca", {
      "@type": type("extensions.transport_sockets.tls.v3.Secret"),
      validation_context: { trusted_ca: { inline_string: ca } },
    });
    const sds = { name: "ca", sds_config: { ads: {}, resource_api_version: "V3" } };
    const cluster = raw("pay", {
      "@type": type("config.cluster.v3.Cluster"),
      type: "STATIC",
      transport_socket: {
        name: "tls",
        typed_config: {
          "@type": type("extensions.transport_sockets.tls.v3.UpstreamTlsContext"),
          common_tls_context: { validation_context_sds_secret_config: sds },
        },
      },
    });
    const other = (connect_timeout: string) =>
      raw("other", { "@type": type("config.cluster.v3.Cluster"), type: "STATIC", connect_timeout });
    await mesh.envoy({ variant });
    // Envoy subscribes to the secret when it gets the cluster. In about every fourth round both are deleted by then.
    for (let round = 1; round <= 12; round++) {
      await mesh.write({ set: [cluster, secret] });
      await mesh.write({ delete: [cluster, secret].map(({ kind, name }) => ({ kind, name })) });
      const [outcome] = await mesh.write({ set: [other(`${round}s`)] }, "10s");
      assert.equal(outcome?.state, "synced", `round ${round}`);
    }
  });
}
