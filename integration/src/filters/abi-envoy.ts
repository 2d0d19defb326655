import http from "node:http";
import { findEnvoy, startEnvoy } from "@chancery/xds-server/envoy";
import type { BuiltFilter } from "./filter-envoy.ts";

/** One Envoy with one worker: the filter before a backend by HTTP, and before another by TCP. */
export interface AbiEnvoy {
  readonly tcpPort: number;
  /** A GET, or a POST when there is a body. */
  request(
    path: string,
    headers?: http.OutgoingHttpHeaders,
    body?: string,
    trailers?: NodeJS.Dict<string>,
  ): Promise<{ readonly body: string; readonly headers: http.IncomingHttpHeaders }>;
  log(): string;
  stop(): Promise<void>;
}

/** The ports of what stands behind Envoy. */
export interface Behind {
  readonly backend: number;
  readonly grpc: number;
  readonly echo: number;
}

export async function startAbiEnvoy(filter: BuiltFilter, behind: Behind): Promise<AbiEnvoy> {
  const { path } = await findEnvoy();
  const envoy = await startEnvoy({
    envoy: path,
    bootstrap: bootstrapOf(filter, behind),
    args: ["--concurrency", "1"],
    logLevel: "warning",
  });
  const [port, tcpPort] = await Promise.all([envoy.listenerPort("http"), envoy.listenerPort("tcp")]);
  return {
    tcpPort,
    request: (path, headers = {}, body, trailers) =>
      new Promise((resolve, reject) => {
        const method = body === undefined ? "GET" : "POST";
        const sent = http.request({ host: "127.0.0.1", port, path, method, headers, agent: false }, (answer) => {
          let text = "";
          answer.on("data", (chunk: Buffer) => {
            text += chunk.toString();
          });
          answer.on("end", () => resolve({ body: text, headers: answer.headers }));
          answer.on("error", reject);
        });
        sent.on("error", reject);
        sent.setTimeout(5000, () => sent.destroy(new Error(`no answer to ${path} in 5 s`)));
        if (trailers !== undefined) {
          sent.setHeader("transfer-encoding", "chunked");
          sent.addTrailers(trailers);
        }
        sent.end(body);
      }),
    log: () => envoy.recentLog().join("\n"),
    stop: () => envoy.stop(),
  };
}

const type = (name: string): string => `type.googleapis.com/${name}`;
const address = (port: number) => ({ socket_address: { address: "127.0.0.1", port_value: port } });

function bootstrapOf({ wasmPath }: BuiltFilter, { backend, grpc, echo }: Behind): Record<string, unknown> {
  const wasm = (root_id: string) => ({
    name: "abi",
    root_id,
    vm_config: {
      vm_id: "abi",
      runtime: "envoy.wasm.runtime.v8",
      code: { local: { filename: wasmPath } },
      configuration: { "@type": type("google.protobuf.StringValue"), value: "started with this" },
      environment_variables: { key_values: { COLOUR: "red", COLOURS: "many" } },
    },
  });
  const cluster = (name: string, port: number, options: object = {}) => ({
    name,
    connect_timeout: "1s",
    load_assignment: {
      cluster_name: name,
      endpoints: [{ lb_endpoints: [{ endpoint: { address: address(port) } }] }],
    },
    ...options,
  });
  const speaking = (explicit_http_config: object) => ({
    typed_extension_protocol_options: {
      "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
        "@type": type("envoy.extensions.upstreams.http.v3.HttpProtocolOptions"),
        explicit_http_config,
      },
    },
  });
  const manager = {
    "@type": type("envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"),
    stat_prefix: "http",
    http_protocol_options: { enable_trailers: true },
    http_filters: [
      {
        name: "abi",
        typed_config: { "@type": type("envoy.extensions.filters.http.wasm.v3.Wasm"), config: wasm("http") },
      },
      { name: "router", typed_config: { "@type": type("envoy.extensions.filters.http.router.v3.Router") } },
    ],
    route_config: {
      virtual_hosts: [
        {
          name: "all",
          domains: ["*"],
          routes: [{ name: "everything", match: { prefix: "/" }, route: { cluster: "backend" } }],
        },
      ],
    },
  };
  const network = [
    {
      name: "abi",
      typed_config: { "@type": type("envoy.extensions.filters.network.wasm.v3.Wasm"), config: wasm("tcp") },
    },
    {
      name: "proxy",
      typed_config: {
        "@type": type("envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy"),
        stat_prefix: "tcp",
        cluster: "echo",
      },
    },
  ];
  return {
    admin: { address: address(0) },
    static_resources: {
      listeners: [
        {
          name: "http",
          address: address(0),
          filter_chains: [{ filters: [{ name: "manager", typed_config: manager }] }],
        },
        { name: "tcp", address: address(0), filter_chains: [{ filters: network }] },
      ],
      clusters: [
        cluster("backend", backend, speaking({ http_protocol_options: { enable_trailers: true } })),
        cluster("grpc", grpc, speaking({ http2_protocol_options: {} })),
        cluster("echo", echo),
        // Nothing can listen there.
        cluster("nobody-listens", 1),
      ],
    },
  };
}
