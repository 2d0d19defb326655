import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { readJson, validate } from "xds-proto-ts";
import { BootstrapSchema } from "xds-proto-ts/envoy/config/bootstrap/v3/bootstrap";
import { parse } from "yaml";
import { bootstrap, type XdsVariant } from "./bootstrap.ts";

const options = {
  xds: { host: "::1", port: 18123 },
  nodeId: "edge-7",
  cluster: "edge",
  admin: { host: "127.0.0.2", port: 9999 },
} as const;

for (const [variant, apiType] of [
  ["delta", "DELTA_GRPC"],
  ["sotw", "GRPC"],
] as const) {
  test(`the ${variant} bootstrap is valid by Envoy's API`, () => {
    const filled = [bootstrap({ variant, ...options }), bootstrap({ variant, ...options, loadReports: true })];
    for (const json of [file(variant), ...filled]) {
      const read = readJson(BootstrapSchema, json);
      assert.ok(read.ok, read.ok ? "" : JSON.stringify(read.issues));
      assert.deepEqual(validate(BootstrapSchema, read.message), []);
    }
  });

  test(`the ${variant} bootstrap is the file with the options filled in`, () => {
    const filled = JSON.stringify(bootstrap({ variant, ...options }));
    assert.match(filled, new RegExp(`"api_type":"${apiType}"`));
    assert.match(filled, /"node":\{"id":"edge-7","cluster":"edge"\}/);
    assert.match(filled, /"admin":\{"address":\{"socket_address":\{"address":"127\.0\.0\.2","port_value":9999\}\}\}/);
    assert.match(filled, /"socket_address":\{"address":"::1","port_value":18123\}/);
  });
}

test("both files are equal except for the protocol variant", () => {
  const text = JSON.stringify(file("delta")).replace("DELTA_GRPC", "GRPC");
  assert.deepEqual(JSON.parse(text), file("sotw"));
});

test("without an admin address Envoy's admin listens on a free port on loopback", () => {
  const { admin: _, ...rest } = options;
  assert.match(
    JSON.stringify(bootstrap({ variant: "delta", ...rest })),
    /"admin":.{0,40}"127\.0\.0\.1","port_value":0/,
  );
});

for (const [serverName, matcher, sni] of [
  [undefined, { san_type: "IP_ADDRESS", matcher: { exact: "::1" } }, undefined],
  ["xds.mesh", { san_type: "DNS", matcher: { exact: "xds.mesh" } }, "xds.mesh"],
] as const) {
  test(`with mutual TLS Envoy sends its certificate and requires ${sni ?? "the address"} in the server's certificate`, () => {
    const files = { certFile: "/a/tls.crt", keyFile: "/a/tls.key", caFile: "/a/ca.crt" };
    const filled = bootstrap({ ...options, variant: "delta", xdsTls: { ...files, ...(serverName && { serverName }) } });
    const message = readJson(BootstrapSchema, filled);
    assert.ok(message.ok, message.ok ? "" : JSON.stringify(message.issues));
    assert.deepEqual(validate(BootstrapSchema, message.message), []);
    const { static_resources: resources } = filled as {
      static_resources: { clusters: [{ transport_socket: unknown }] };
    };
    assert.deepEqual(resources.clusters[0].transport_socket, {
      name: "envoy.transport_sockets.tls",
      typed_config: {
        "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
        ...(sni && { sni }),
        common_tls_context: {
          alpn_protocols: ["h2"],
          tls_certificates: [
            { certificate_chain: { filename: "/a/tls.crt" }, private_key: { filename: "/a/tls.key" } },
          ],
          validation_context: { trusted_ca: { filename: "/a/ca.crt" }, match_typed_subject_alt_names: [matcher] },
        },
      },
    });
  });
}

function file(variant: XdsVariant): unknown {
  return parse(readFileSync(new URL(`../../../envoy-configs/bootstrap/${variant}-ads.yaml`, import.meta.url), "utf8"));
}
