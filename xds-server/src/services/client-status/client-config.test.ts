import assert from "node:assert/strict";
import { test } from "node:test";
import { create, fromBinary } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { ClientResourceStatus } from "xds-proto-ts/envoy/admin/v3/config_dump_shared";
import { ClusterSchema } from "xds-proto-ts/envoy/config/cluster/v3/cluster";
import { SecretSchema } from "xds-proto-ts/envoy/extensions/transport_sockets/tls/v3/secret";
import { ConfigStatus } from "xds-proto-ts/envoy/service/status/v3/csds";
import type { ProxyStatus, ResourceStatus } from "../../proxy-status/proxy-status.ts";
import { encodeResource } from "../../resources/encode.ts";
import { resourceType } from "../../resources/resource-types.ts";
import { nodeMessage } from "../node-message.ts";
import { resourceConfigs } from "./client-config.ts";

const node = {
  id: "edge-1",
  cluster: "edge",
  metadata: { team: "shop" },
  locality: { region: "eu", zone: "a", subZone: "" },
  version: "1.40.0",
};
const clusters = resourceType("CDS");
const secrets = resourceType("SDS");
const cart = encodeResource(clusters, create(ClusterSchema, { name: "cart" }));
const secret = encodeResource(
  secrets,
  create(SecretSchema, {
    name: "tls",
    type: {
      case: "tlsCertificate",
      value: {
        certificateChain: { specifier: { case: "inlineString", value: "public" } },
        privateKey: { specifier: { case: "inlineString", value: "private" } },
      },
    },
  }),
);

function configOf(type: typeof clusters, resources: readonly ResourceStatus[], excludeContents = false) {
  const stream = { id: 1, peer: "127.0.0.1:1", variant: "delta", openedAt: 0 } as const;
  const types = [{ typeUrl: type.typeUrl, shortName: type.shortName, state: "synced", resources } as const];
  const proxy: ProxyStatus = {
    nodeId: "edge-1",
    cluster: "edge",
    nodeGroup: "default",
    streams: [{ ...stream, types }],
    since: 0,
  };
  const snapshot = {
    resources: new Map([
      [clusters.typeUrl, new Map([["cart", cart]])],
      [secrets.typeUrl, new Map([["tls", secret]])],
    ]),
  };
  const publishedAt = () => 1_234;
  return [...resourceConfigs({ proxy, snapshot, publishedAt, excludeContents })];
}

test("gives the server's status and the proxy's status of each resource", () => {
  const { version } = cart;
  const rejection = { version, reason: "no", at: 99 };
  const cases: readonly (readonly [string, Omit<ResourceStatus, "name">, ConfigStatus, ClientResourceStatus])[] = [
    [
      "accepted",
      { state: "synced", wanted: version, sent: version, accepted: version },
      ConfigStatus.SYNCED,
      ClientResourceStatus.ACKED,
    ],
    [
      "held from an earlier stream",
      { state: "synced", wanted: version, sent: version },
      ConfigStatus.SYNCED,
      ClientResourceStatus.ACKED,
    ],
    ["not sent", { state: "pending", wanted: version }, ConfigStatus.NOT_SENT, ClientResourceStatus.REQUESTED],
    [
      "not answered",
      { state: "pending", wanted: version, sent: version },
      ConfigStatus.STALE,
      ClientResourceStatus.REQUESTED,
    ],
    [
      "newer not answered",
      { state: "pending", wanted: version, sent: version, accepted: "0" },
      ConfigStatus.STALE,
      ClientResourceStatus.ACKED,
    ],
    [
      "newer not sent",
      { state: "pending", wanted: version, sent: "0", accepted: "0" },
      ConfigStatus.NOT_SENT,
      ClientResourceStatus.ACKED,
    ],
    [
      "rejected",
      { state: "rejected", wanted: version, sent: version, rejection },
      ConfigStatus.ERROR,
      ClientResourceStatus.NACKED,
    ],
    ["unknown", { state: "synced" }, ConfigStatus.SYNCED, ClientResourceStatus.DOES_NOT_EXIST],
    [
      "deletion not sent",
      { state: "pending", sent: "0", accepted: "0" },
      ConfigStatus.NOT_SENT,
      ClientResourceStatus.ACKED,
    ],
  ];
  for (const [what, status, config, client] of cases) {
    const [resource] = configOf(clusters, [{ name: "cart", ...status }]);
    assert.deepEqual([resource?.configStatus, resource?.clientStatus], [config, client], what);
  }
});

test("gives the content and time of the newest version, the version sent, and the reason for its rejection", () => {
  const rejection = { version: cart.version, reason: "cart is no cluster", at: 99 };
  const status = { name: "cart", state: "rejected", wanted: cart.version, sent: cart.version, rejection } as const;
  const message = nodeMessage(node);
  const configs = configOf(clusters, [status]);
  assert.deepEqual([message.id, message.metadata, message.locality?.region], ["edge-1", { team: "shop" }, "eu"]);
  const [{ xdsConfig, errorState, ...config }] = configs as [(typeof configs)[0]];
  assert.deepEqual([config.typeUrl, config.name, config.versionInfo], [clusters.typeUrl, "cart", cart.version]);
  assert.equal(fromBinary(ClusterSchema, xdsConfig?.value ?? new Uint8Array()).name, "cart");
  assert.equal(config.lastUpdated && timestampMs(config.lastUpdated), 1_234);
  assert.deepEqual([errorState?.details, errorState?.versionInfo], ["cart is no cluster", cart.version]);
  assert.equal(errorState?.lastUpdateAttempt && timestampMs(errorState.lastUpdateAttempt), 99);
});

test("redacts secrets, and leaves out all contents on request", () => {
  const status = { name: "tls", state: "synced", wanted: secret.version, sent: secret.version } as const;
  const [shown] = configOf(secrets, [status]);
  const text = Buffer.from(shown?.xdsConfig?.value ?? []).toString();
  assert.match(text, /public/);
  assert.doesNotMatch(text, /private/);
  const [bare] = configOf(secrets, [status], true);
  assert.deepEqual([bare?.xdsConfig, bare?.configStatus], [undefined, ConfigStatus.SYNCED]);
});
