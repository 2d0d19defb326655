import http from "node:http";
import type { AddressInfo } from "node:net";
import { findEnvoy, type RunningEnvoy, startEnvoy } from "@chancery/xds-server/envoy";
import type { BuiltFilter, Reply } from "./filter-envoy.ts";

/** One Envoy with one worker and one filter, which is given bodies while headers wait, before a server of the test's own. */
export interface BodyFilterEnvoy {
  readonly envoy: RunningEnvoy;
  request(path: string, options?: BodyRequest): Promise<Reply>;
  stop(): Promise<void>;
}

export interface BodyRequest {
  readonly method?: string;
  readonly headers?: http.OutgoingHttpHeaders;
  /** Each piece is sent when the one before has left. */
  readonly body?: readonly (string | Uint8Array)[];
}

export interface BodyFilterEnvoyOptions {
  readonly configuration: unknown;
  /** Of listener and cluster, in bytes; Envoy's own unless given. */
  readonly bufferLimit?: number;
  readonly upstream: http.RequestListener;
}

export async function startBodyFilterEnvoy(
  filter: BuiltFilter,
  options: BodyFilterEnvoyOptions,
): Promise<BodyFilterEnvoy> {
  const server = http.createServer(options.upstream);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { path: envoyPath } = await findEnvoy();
  const envoy = await startEnvoy({
    envoy: envoyPath,
    bootstrap: bootstrapOf(filter, options, (server.address() as AddressInfo).port),
    args: ["--concurrency", "1"],
    logLevel: "error",
  });
  const port = await envoy.listenerPort("edge");
  return {
    envoy,
    request: (path, request = {}) => exchange(port, path, request),
    async stop() {
      await envoy.stop();
      server.closeAllConnections();
      server.close();
    },
  };
}

function exchange(port: number, path: string, { method, headers = {}, body = [] }: BodyRequest): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port, path, method: method ?? (body.length > 0 ? "POST" : "GET"), headers };
    let answered = false;
    const sent = http.request({ ...options, agent: false }, (answer) => {
      answered = true;
      let text = "";
      answer.setEncoding("utf8").on("data", (piece: string) => {
        text += piece;
      });
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: text }));
      answer.on("error", reject);
    });
    // Envoy may answer, and close, before all has been sent.
    sent.on("error", (error) => answered || reject(error));
    void sendAll(sent, body);
  });
}

async function sendAll(sent: http.ClientRequest, body: readonly (string | Uint8Array)[]): Promise<void> {
  for (const piece of body) await new Promise<void>((resolve) => sent.write(piece, () => resolve()));
  sent.end();
}

const type = (name: string): string => `type.googleapis.com/${name}`;
const address = (port: number) => ({ socket_address: { address: "127.0.0.1", port_value: port } });

function bootstrapOf(filter: BuiltFilter, options: BodyFilterEnvoyOptions, upstreamPort: number) {
  const { name, wasmPath } = filter;
  const { bufferLimit, configuration } = options;
  const limit = bufferLimit === undefined ? {} : { per_connection_buffer_limit_bytes: bufferLimit };
  const wasm = {
    "@type": type("envoy.extensions.filters.http.wasm.v3.Wasm"),
    config: {
      name,
      root_id: name,
      configuration: { "@type": type("google.protobuf.StringValue"), value: JSON.stringify(configuration) },
      vm_config: { vm_id: name, runtime: "envoy.wasm.runtime.v8", code: { local: { filename: wasmPath } } },
      allow_on_headers_stop_iteration: true,
    },
  };
  const router = { "@type": type("envoy.extensions.filters.http.router.v3.Router") };
  const manager = {
    "@type": type("envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"),
    stat_prefix: "edge",
    http_filters: [
      { name, typed_config: wasm },
      { name: "router", typed_config: router },
    ],
    route_config: {
      virtual_hosts: [
        { name: "all", domains: ["*"], routes: [{ match: { prefix: "/" }, route: { cluster: "back" } }] },
      ],
    },
  };
  const cluster = {
    name: "back",
    connect_timeout: "5s",
    ...limit,
    load_assignment: {
      cluster_name: "back",
      endpoints: [{ lb_endpoints: [{ endpoint: { address: address(upstreamPort) } }] }],
    },
  };
  return {
    admin: { address: address(0) },
    static_resources: {
      listeners: [
        {
          name: "edge",
          address: address(0),
          ...limit,
          filter_chains: [{ filters: [{ name: "manager", typed_config: manager }] }],
        },
      ],
      clusters: [cluster],
    },
  };
}
