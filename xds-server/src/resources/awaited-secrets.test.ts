import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject } from "@bufbuild/protobuf";
import { readJson } from "xds-proto-ts";
import { ClusterSchema } from "xds-proto-ts/envoy/config/cluster/v3/cluster";
import { encodeResource } from "./encode.ts";
import { resourceType } from "./resource-types.ts";

const type = (name: string) => `type.googleapis.com/envoy.extensions.transport_sockets.${name}`;
const sds = (name: string) => ({ name, sds_config: { ads: {} } });
const tls = (common: JsonObject) => ({
  name: "tls",
  typed_config: { "@type": type("tls.v3.UpstreamTlsContext"), common_tls_context: common },
});

/** The resources that a client waits for before it ACKs the cluster. */
function awaited(cluster: JsonObject): readonly string[] {
  const read = readJson(ClusterSchema, { name: "cart", ...cluster });
  assert.ok(read.ok);
  const { rewarms } = encodeResource(resourceType("CDS"), read.message);
  const shortName = (url: string) => ["SDS", "EDS"].find((name) => resourceType(name).typeUrl === url) ?? url;
  return rewarms.map(({ typeUrl, name }) => `${shortName(typeUrl)} ${name}`);
}

test("a cluster waits for the SDS secrets of all its transport sockets, nested ones included", () => {
  const own = { tls_certificate_sds_secret_configs: [sds("own")], validation_context_sds_secret_config: sds("ca") };
  const inner = tls({ combined_validation_context: { validation_context_sds_secret_config: sds("inner-ca") } });
  const proxyProtocol = {
    name: "proxy-protocol",
    typed_config: {
      "@type": type("proxy_protocol.v3.ProxyProtocolUpstreamTransport"),
      transport_socket: inner,
    },
  };
  assert.deepEqual(awaited({ transport_socket: tls(own) }), ["SDS own", "SDS ca"]);
  assert.deepEqual(awaited({ type: "EDS", transport_socket: tls(own) }), ["EDS cart", "SDS own", "SDS ca"]);
  assert.deepEqual(
    awaited({
      transport_socket: tls(own),
      transport_socket_matches: [{ name: "old", match: {}, transport_socket: proxyProtocol }],
    }),
    ["SDS own", "SDS ca", "SDS inner-ca"],
  );
});

test("a cluster does not wait for inline secrets, nor for secrets without an SDS source", () => {
  assert.deepEqual(awaited({}), []);
  assert.deepEqual(awaited({ transport_socket: tls({}) }), []);
  const inPlace = { tls_certificates: [{ private_key: { inline_string: "x" } }] };
  assert.deepEqual(awaited({ transport_socket: tls(inPlace) }), []);
  assert.deepEqual(
    awaited({ transport_socket: tls({ tls_certificate_sds_secret_configs: [{ name: "static" }] }) }),
    [],
  );
});
