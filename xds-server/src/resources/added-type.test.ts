import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { fromBinary } from "@bufbuild/protobuf";
import { ClientStatusResponseSchema, ConfigStatus } from "xds-proto-ts/envoy/service/status/v3/csds";

/**
 * A row for a type of Envoy's API that Chancery does not serve. The API has no discovery service for this type, so the row
 * names a service that no other type uses. That service has the delta variant only.
 */
const row = `row({
    shortName: "FCDS",
    message: "envoy.config.listener.v3.FilterChain",
    service: "envoy.service.endpoint.v3.LocalityEndpointDiscoveryService",
    usedBy: ["LDS"],
  }),
  `;
const service = "/envoy.service.endpoint.v3.LocalityEndpointDiscoveryService/DeltaLocalityEndpoints";
const clientStatus = "/envoy.service.status.v3.ClientStatusDiscoveryService/StreamClientStatus";
const typeUrl = "type.googleapis.com/envoy.config.listener.v3.FilterChain";

const filterChain = (name: string) => ({
  kind: "EnvoyResource",
  name,
  spec: { resource: { "@type": typeUrl, name, filters: [] } },
});
const listener = (port: number) => ({
  kind: "EnvoyResource",
  name: "edge",
  spec: {
    resource: {
      "@type": "type.googleapis.com/envoy.config.listener.v3.Listener",
      name: "edge",
      address: { socket_address: { address: "127.0.0.1", port_value: port } },
    },
  },
});

/** The folder that this runs from, src/ or dist/, and how its files end. */
const program = fileURLToPath(new URL("..", import.meta.url));
const extension = path.extname(import.meta.filename);

/** Starts a copy of the server with the row added before the row of listeners. Nothing else differs. */
async function serverWithRow(t: TestContext) {
  const folder = mkdtempSync(path.join(tmpdir(), "chancery-row-"));
  t.after(() => rmSync(folder, { recursive: true }));
  cpSync(program, path.join(folder, "program"), { recursive: true });
  writeFileSync(path.join(folder, "package.json"), '{ "type": "module" }');
  symlinkSync(path.join(program, "../../node_modules"), path.join(folder, "node_modules"));
  const types = path.join(folder, `program/resources/resource-types${extension}`);
  const source = readFileSync(types, "utf8");
  const listeners = /row\(\{\s+shortName: "LDS"/;
  assert.match(source, listeners);
  writeFileSync(
    types,
    source.replace(listeners, (each) => row + each),
  );
  const load = (file: string) => import(pathToFileURL(path.join(folder, "program", `${file}${extension}`)).href);
  const { startApp }: typeof import("../app/app.ts") = await load("app/app");
  const streams: typeof import("../services/testing.ts") = await load("services/testing");
  const listen = { host: "127.0.0.1", port: 0 };
  const app = await startApp({
    xdsListen: listen,
    adminListen: listen,
    dataDir: path.join(folder, "data"),
    config: [],
    logLevel: "silent",
  });
  t.after(() => app.close());
  return { ...streams, xds: `127.0.0.1:${app.xds.port}`, admin: `http://127.0.0.1:${app.admin.port}` };
}

test("one row adds a type: documents, both variants, its own service, push order, status, metrics and CSDS", {
  timeout: 60_000,
}, async (t) => {
  const { SotwStream, DeltaStream, TestStream, xds, admin } = await serverWithRow(t);
  const send = async (method: string, at: string, body?: unknown) => {
    const headers = { "content-type": "application/json" };
    const answer = await fetch(`${admin}${at}`, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    assert.ok(answer.ok, await answer.clone().text());
    return answer;
  };
  const apply = (set: readonly object[], gone: readonly object[] = []) =>
    send("POST", "/api/v1/apply", { set, delete: gone });
  await apply([filterChain("web"), listener(8080)]);

  const sotw = new SotwStream(xds);
  t.after(() => sotw.close());
  sotw.ask("FCDS", { node: { id: "edge-1" }, resourceNames: ["web"] });
  const first = await sotw.next();
  assert.deepEqual([first.typeUrl, first.resources.length], [typeUrl, 1]);
  const ownService = new DeltaStream(xds, service);
  t.after(() => ownService.close());
  ownService.ask("FCDS", { typeUrl: "", node: { id: "edge-2" }, resourceNamesSubscribe: ["web", "ghost"] });
  const { resources, removedResources } = await ownService.next();
  assert.deepEqual([resources.map(({ name }) => name), removedResources], [["web"], ["ghost"]]);

  const rejection = "web: no such transport";
  sotw.ask("FCDS", {
    resourceNames: ["web"],
    responseNonce: first.nonce,
    errorDetail: { code: 3, message: rejection },
  });
  const rejecting = async () =>
    (await (await send("GET", "/api/v1/proxies?state=rejected")).json()) as { items: readonly { types: unknown }[] };
  let items = (await rejecting()).items;
  while (items.length === 0) ({ items } = await rejecting());
  assert.partialDeepStrictEqual(items[0]?.types, [{ type: "FCDS", rejections: [{ name: "web", reason: rejection }] }]);
  const metrics = await (await send("GET", "/metrics")).text();
  assert.match(metrics, /^chancery_pushes_total\{type="FCDS"\} 2$/m);
  assert.match(metrics, /^chancery_nacks_total\{type="FCDS"\} 1$/m);
  const csds = new TestStream(xds, clientStatus, (bytes) => fromBinary(ClientStatusResponseSchema, bytes));
  t.after(() => csds.close());
  csds.send(new Uint8Array());
  const [edge1] = (await csds.next()).config;
  const [known] = edge1?.genericXdsConfigs ?? [];
  assert.deepEqual([known?.typeUrl, known?.name, known?.configStatus], [typeUrl, "web", ConfigStatus.ERROR]);

  const delta = new DeltaStream(xds);
  t.after(() => delta.close());
  /** Accepts the next response. Returns its type and the names that it adds and removes. */
  const nextChange = async () => {
    const { typeUrl, nonce, resources, removedResources } = await delta.next();
    delta.ask("FCDS", { typeUrl, responseNonce: nonce });
    return [typeUrl.slice(typeUrl.lastIndexOf(".") + 1), resources.map(({ name }) => name), removedResources];
  };
  delta.ask("LDS", { node: { id: "edge-3" } });
  assert.deepEqual(await nextChange(), ["Listener", ["edge"], []]);
  delta.ask("FCDS", {});
  assert.deepEqual(await nextChange(), ["FilterChain", ["web"], []]);
  await apply([filterChain("api"), listener(8081)]);
  assert.deepEqual(
    [await nextChange(), await nextChange()],
    [
      ["FilterChain", ["api"], []],
      ["Listener", ["edge"], []],
    ],
  );
  await apply([listener(8082)], [{ kind: "EnvoyResource", name: "web" }]);
  assert.deepEqual(
    [await nextChange(), await nextChange()],
    [
      ["Listener", ["edge"], []],
      ["FilterChain", [], ["web"]],
    ],
  );
});
