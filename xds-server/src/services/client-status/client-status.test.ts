import assert from "node:assert/strict";
import { test } from "node:test";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { Client, credentials, type ServiceError, status } from "@grpc/grpc-js";
import { ClusterSchema } from "xds-proto-ts/envoy/config/cluster/v3/cluster";
import {
  ClientStatusRequestSchema,
  type ClientStatusResponse,
  ClientStatusResponseSchema,
  ConfigStatus,
} from "xds-proto-ts/envoy/service/status/v3/csds";
import { encodeResource } from "../../resources/encode.ts";
import { resourceType } from "../../resources/resource-types.ts";
import { DeltaStream, SotwStream, TestStream, testServer } from "../testing.ts";

type Request = MessageInitShape<typeof ClientStatusRequestSchema>;
type TestServer = Awaited<ReturnType<typeof testServer>>;

const service = "/envoy.service.status.v3.ClientStatusDiscoveryService";
const cds = resourceType("CDS");
const encoded = (request: Request): Buffer =>
  Buffer.from(toBinary(ClientStatusRequestSchema, create(ClientStatusRequestSchema, request)));
const exactly = (value: string) => ({ nodeId: { matchPattern: { case: "exact", value } as const } });

/** A server with one cluster, and a connected, synced proxy for each of these node ids. */
async function serving(
  t: { after(work: () => void): void },
  limits: Parameters<typeof testServer>[0],
  ...ids: string[]
) {
  const at = await testServer(limits);
  t.after(() => at.server.close());
  const cart = encodeResource(cds, create(ClusterSchema, { name: "cart" }));
  at.publish({ default: { resources: new Map([[cds.typeUrl, new Map([["cart", cart]])]]) } });
  for (const id of ids) {
    const stream = new SotwStream(at.address);
    t.after(() => stream.close());
    stream.ask("CDS", { node: { id } });
    const { nonce: responseNonce, versionInfo } = await stream.next();
    stream.ask("CDS", { responseNonce, versionInfo });
    const isSynced = () => at.statuses.get(id)?.streams[0]?.types[0]?.state === "synced";
    while (!isSynced()) await new Promise((resolve) => setImmediate(resolve));
  }
  return at;
}

function fetchStatus({ address }: TestServer, request: Buffer): Promise<ClientStatusResponse> {
  const client = new Client(address, credentials.createInsecure());
  const asIs = (bytes: Buffer): Buffer => bytes;
  return new Promise<ClientStatusResponse>((resolve, reject) => {
    client.makeUnaryRequest(`${service}/FetchClientStatus`, asIs, asIs, request, (error, response) => {
      if (error === null && response !== undefined) resolve(fromBinary(ClientStatusResponseSchema, response));
      else reject(error);
    });
  }).finally(() => client.close());
}

const idsIn = ({ config }: ClientStatusResponse) => config.map(({ node }) => node?.id);

test("one call returns all connected proxies, or those that match, with or without contents", {
  timeout: 20_000,
}, async (t) => {
  const at = await serving(t, {}, "edge-2", "edge-1");
  const all = await fetchStatus(at, encoded({}));
  assert.deepEqual(idsIn(all), ["edge-1", "edge-2"]);
  const [config] = all.config[0]?.genericXdsConfigs ?? [];
  assert.deepEqual([config?.typeUrl, config?.name, config?.configStatus], [cds.typeUrl, "cart", ConfigStatus.SYNCED]);
  assert.equal(config?.xdsConfig?.typeUrl, cds.typeUrl);
  assert.ok(config.lastUpdated);
  const one = await fetchStatus(at, encoded({ nodeMatchers: [exactly("edge-2")], excludeResourceContents: true }));
  assert.deepEqual(idsIn(one), ["edge-2"]);
  assert.equal(one.config[0]?.genericXdsConfigs[0]?.xdsConfig, undefined);
  assert.deepEqual(idsIn(await fetchStatus(at, encoded({ nodeMatchers: [exactly("edge-3")] }))), []);
});

test("a stream answers each request with the status at that time", { timeout: 20_000 }, async (t) => {
  const at = await serving(t, {}, "edge-1");
  const stream = new TestStream(at.address, `${service}/StreamClientStatus`, (bytes) =>
    fromBinary(ClientStatusResponseSchema, bytes),
  );
  stream.send(encoded({}));
  stream.send(encoded({ nodeMatchers: [exactly("edge-2")] }));
  assert.deepEqual([idsIn(await stream.next()), idsIn(await stream.next())], [["edge-1"], []]);
  const late = new DeltaStream(at.address);
  t.after(() => late.close());
  late.ask("CDS", { node: { id: "edge-2" } });
  await late.next();
  stream.send(encoded({ nodeMatchers: [exactly("edge-2")] }));
  const then = await stream.next();
  assert.deepEqual(idsIn(then), ["edge-2"]);
  assert.equal(then.config[0]?.genericXdsConfigs[0]?.configStatus, ConfigStatus.STALE);
  stream.finish();
  assert.equal((await stream.ended).code, status.OK);
});

test("rejects a request that matches too many proxies or is not valid, and says why", {
  timeout: 20_000,
}, async (t) => {
  const at = await serving(t, { limits: { maxClientStatuses: 1, maxMessageBytes: 300 } }, "edge-1", "edge-2");
  const rejection = (request: Buffer) =>
    fetchStatus(at, request).then(
      () => assert.fail("the request was not rejected"),
      ({ code, details }: ServiceError) => `${status[code]}: ${details}`,
    );
  assert.match(await rejection(encoded({})), /^RESOURCE_EXHAUSTED: 2 proxies match, and the limit is 1.*node_matchers/);
  const regex = { case: "safeRegex", value: { regex: "(" } } as const;
  assert.match(await rejection(encoded({ nodeMatchers: [{ nodeId: { matchPattern: regex } }] })), /^INVALID.*not RE2/);
  const noPattern = encoded({ nodeMatchers: [{ nodeId: {} }] });
  assert.match(await rejection(noPattern), /^INVALID_ARGUMENT: .*node_matchers\[0\]\.node_id/);
  assert.match(await rejection(Buffer.from([0xff])), /^INVALID_ARGUMENT: Cannot decode/);
  assert.deepEqual(idsIn(await fetchStatus(at, encoded({ nodeMatchers: [exactly("edge-1")] }))), ["edge-1"]);
});

test("a request is rejected when its answer grows over the message limit", { timeout: 20_000 }, async (t) => {
  const at = await serving(t, { limits: { maxMessageBytes: 300 } }, "edge-1", "edge-2", "edge-3", "edge-4");
  await assert.rejects(fetchStatus(at, encoded({})), /RESOURCE_EXHAUSTED.*over 300 bytes.*exclude_resource_contents/);
});

test("matchers over the size limit are rejected before they are compiled", { timeout: 20_000 }, async (t) => {
  const at = await serving(t, {}, "edge-1");
  const regex = { case: "safeRegex", value: { regex: "(?i)\\pL".repeat(3_000) } } as const;
  const request = encoded({ nodeMatchers: [{ nodeId: { matchPattern: regex } }] });
  await assert.rejects(fetchStatus(at, request), /RESOURCE_EXHAUSTED.*must not exceed 16384 bytes/);
});
