import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData } from "@grpc/grpc-js";
import { eventually } from "../harness/eventually.ts";
import { type AnyDocument, TestMesh } from "../harness/test-mesh.ts";

const method = "/hello.Hello/Say";
const asIs = (bytes: Buffer): Buffer => bytes;

/** Starts a gRPC server that answers with its name. Returns its port. */
async function greeter(name: string, closers: (() => void)[]): Promise<number> {
  const server = new Server();
  const say = { path: method, requestStream: false, responseStream: false } as const;
  const codec = {
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  };
  server.addService(
    { Say: { ...say, ...codec } },
    { Say: (_: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => answer(null, Buffer.from(name)) },
  );
  closers.push(() => server.forceShutdown());
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) =>
    error === null ? resolve(port) : reject(error),
  );
  return promise;
}

/** Starts a client process. Each `say` calls "hello" once, and returns the response or the error. */
function startClient(xds: { readonly host: string; readonly port: number }) {
  const bootstrap = {
    node: { id: "grpc-1", cluster: "clients", locality: {} },
    xds_servers: [
      {
        server_uri: `${xds.host}:${xds.port}`,
        channel_creds: [{ type: "insecure" }],
        server_features: ["xds_v3"],
      },
    ],
  };
  const program = fileURLToPath(new URL("./proxyless-client.js", import.meta.url));
  const child = spawn(process.execPath, [program, "xds:///hello", method], {
    env: { ...process.env, GRPC_XDS_BOOTSTRAP_CONFIG: JSON.stringify(bootstrap) },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  return {
    async say(): Promise<unknown> {
      child.stdin.write("say\n");
      return (await lines.next()).value;
    },
    stop: () => void child.kill(),
  };
}

const resource = (name: string, type: string, fields: object): AnyDocument => ({
  kind: "EnvoyResource",
  name,
  spec: { resource: { "@type": `type.googleapis.com/envoy.${type}`, ...fields } },
});
const ads = { ads: {}, resource_api_version: "V3" };
const httpFilters = "type.googleapis.com/envoy.extensions.filters";

/** A listener for gRPC clients without a proxy. */
const listener = resource("hello-listener", "config.listener.v3.Listener", {
  name: "hello",
  api_listener: {
    api_listener: {
      "@type": `${httpFilters}.network.http_connection_manager.v3.HttpConnectionManager`,
      stat_prefix: "hello",
      rds: { config_source: ads, route_config_name: "hello-routes" },
      http_filters: [{ name: "router", typed_config: { "@type": `${httpFilters}.http.router.v3.Router` } }],
    },
  },
});
const routes = (cluster: string): AnyDocument =>
  resource("hello-routes", "config.route.v3.RouteConfiguration", {
    name: "hello-routes",
    virtual_hosts: [{ name: "all", domains: ["*"], routes: [{ match: { prefix: "" }, route: { cluster } }] }],
  });
/** A cluster that gRPC clients accept: its locality has a weight, and it has no LEAST_REQUEST. */
const cluster = (name: string, port: number): readonly AnyDocument[] => [
  resource(name, "config.cluster.v3.Cluster", { name, type: "EDS", eds_cluster_config: { eds_config: ads } }),
  resource(`${name}-endpoints`, "config.endpoint.v3.ClusterLoadAssignment", {
    cluster_name: name,
    endpoints: [
      {
        locality: { region: "here" },
        load_balancing_weight: 1,
        lb_endpoints: [{ endpoint: { address: { socket_address: { address: "127.0.0.1", port_value: port } } } }],
      },
    ],
  }),
];

test("a gRPC client without a proxy finds a service by its name, and follows changes of endpoints and routes", async (t) => {
  await using mesh = await TestMesh.start();
  const closers: (() => void)[] = [];
  t.after(() => {
    for (const close of closers) close();
  });
  const ports = {
    v1: await greeter("v1", closers),
    v2: await greeter("v2", closers),
    v3: await greeter("v3", closers),
  };
  await mesh.apply({ set: [listener, routes("first"), ...cluster("first", ports.v1), ...cluster("second", ports.v3)] });

  const client = startClient(mesh.xds);
  closers.push(client.stop);

  assert.equal(await client.say(), "v1");
  const [proxy] = await mesh.proxies();
  assert.deepEqual([proxy?.nodeId, proxy?.state], ["grpc-1", "synced"]);

  await mesh.apply({ set: cluster("first", ports.v2) });
  await eventually(async () => assert.equal(await client.say(), "v2"), "the endpoint's change");

  await mesh.apply({
    set: [routes("second")],
    delete: ["first", "first-endpoints"].map((name) => ({ kind: "EnvoyResource", name })),
  });
  await eventually(async () => assert.equal(await client.say(), "v3"), "the route's change");
});
