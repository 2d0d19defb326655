import type { BuiltFilter } from "../harness/built-filter.ts";
import {
  bootstrapOf,
  clusterOf,
  extension,
  httpConnectionManager,
  stringValue,
  upstreamProtocol,
  wasmFilter,
} from "../harness/static-bootstrap.ts";
import { startTestEnvoy } from "../harness/test-envoy.ts";
import { exchange, type Reply, type RequestOptions } from "./exchange.ts";

/** An Envoy with one worker. It has the filter before an HTTP backend, and before a TCP backend. */
export interface AbiEnvoy {
  readonly tcpPort: number;
  request(path: string, options?: RequestOptions): Promise<Reply>;
  log(): string;
  stop(): Promise<void>;
}

/** The ports of the servers behind Envoy. */
export interface Behind {
  readonly backend: number;
  readonly grpc: number;
  readonly echo: number;
}

export async function startAbiEnvoy(filter: BuiltFilter, behind: Behind): Promise<AbiEnvoy> {
  const envoy = await startTestEnvoy(abiBootstrap(filter, behind), { logLevel: "warning" });
  const [port, tcpPort] = await Promise.all([envoy.listenerPort("http"), envoy.listenerPort("tcp")]);
  return {
    tcpPort,
    request: (path, options) => exchange({ port, path, agent: false }, options),
    log: () => envoy.recentLog().join("\n"),
    stop: () => envoy.stop(),
  };
}

function abiBootstrap({ wasmPath }: BuiltFilter, { backend, grpc, echo }: Behind) {
  const plugin = {
    name: "abi",
    wasmPath,
    vm: {
      configuration: stringValue("started with this"),
      environment_variables: { key_values: { COLOUR: "red", COLOURS: "many" } },
    },
  };
  const manager = httpConnectionManager({
    filters: [wasmFilter("http", { ...plugin, rootId: "http" })],
    routes: [{ name: "everything", match: { prefix: "/" }, route: { cluster: "backend" } }],
    fields: { http_protocol_options: { enable_trailers: true } },
  });
  const tcpProxy = extension("proxy", "filters.network.tcp_proxy.v3.TcpProxy", { stat_prefix: "tcp", cluster: "echo" });
  return bootstrapOf({
    listeners: [
      { name: "http", filters: [manager] },
      { name: "tcp", filters: [wasmFilter("network", { ...plugin, rootId: "tcp" }), tcpProxy] },
    ],
    clusters: [
      clusterOf("backend", backend, upstreamProtocol({ http_protocol_options: { enable_trailers: true } })),
      clusterOf("grpc", grpc, upstreamProtocol({ http2_protocol_options: {} })),
      clusterOf("echo", echo),
      // Nothing listens on port 1.
      clusterOf("nobody-listens", 1),
    ],
  });
}
