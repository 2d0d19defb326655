import http from "node:http";
import type { AddressInfo } from "node:net";
import { findEnvoy, type RunningEnvoy, startEnvoy } from "@chancery/xds-server/envoy";
import type { BuiltFilter } from "./filter-envoy.ts";

/** One Envoy with one worker: a filter before an upstream that tells what it got, and clusters that the filter may call. */
export interface UpstreamEnvoy {
  readonly envoy: RunningEnvoy;
  request(path: string, headers?: http.OutgoingHttpHeaders, more?: RequestMore): Promise<UpstreamReply>;
  stop(): Promise<void>;
}

export interface RequestMore {
  /** Makes it a POST. */
  readonly body?: string;
  /** The client goes away, and the promise is rejected. */
  readonly signal?: AbortSignal;
}

export interface UpstreamReply {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
  /** What arrived upstream; undefined when the proxy answered. */
  readonly seen: SeenRequest | undefined;
}

export interface SeenRequest {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A server on a port of its own, to be an upstream or a cluster. */
export interface Server {
  readonly port: number;
  stop(): void;
}

export async function startServer(handler: http.RequestListener): Promise<Server> {
  const server = http.createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** `clusters`: the port of each, by its name. Envoy's log has a line for each request: status, details, path. */
export async function startUpstreamEnvoy(
  filter: BuiltFilter,
  configuration: unknown,
  clusters: Readonly<Record<string, number>> = {},
): Promise<UpstreamEnvoy> {
  const upstream = await startServer(tell);
  const { path } = await findEnvoy();
  const envoy = await startEnvoy({
    envoy: path,
    bootstrap: bootstrapOf(filter, configuration, { ...clusters, upstream: upstream.port }),
    args: ["--concurrency", "1", "--file-flush-interval-msec", "50"],
    logLevel: "error",
  });
  const port = await envoy.listenerPort("edge");
  return {
    envoy,
    request: (path, headers = {}, more = {}) => requested(port, path, headers, more),
    async stop() {
      await envoy.stop();
      upstream.stop();
    },
  };
}

/** Answers with what was asked. */
function tell(request: http.IncomingMessage, response: http.ServerResponse): void {
  let body = "";
  request.setEncoding("utf8").on("data", (text: string) => {
    body += text;
  });
  request.on("end", () => {
    response.setHeader("x-upstream", "1").end(JSON.stringify({ path: request.url, headers: request.headers, body }));
  });
}

function requested(port: number, path: string, headers: http.OutgoingHttpHeaders, { body, signal }: RequestMore) {
  return new Promise<UpstreamReply>((resolve, reject) => {
    const method = body === undefined ? "GET" : "POST";
    const options = { host: "127.0.0.1", port, path, method, headers, agent: false, ...(signal && { signal }) };
    const sent = http.request(options, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (piece: string) => {
        text += piece;
      });
      answer.on("error", reject);
      answer.on("end", () => {
        const seen = answer.headers["x-upstream"] === undefined ? undefined : (JSON.parse(text) as SeenRequest);
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: text, seen });
      });
    });
    sent.setTimeout(10_000, () => sent.destroy(new Error(`no answer to ${path} in 10 s`)));
    sent.on("error", reject).end(body);
  });
}

const type = (name: string): string => `type.googleapis.com/${name}`;
const address = (port: number) => ({ socket_address: { address: "127.0.0.1", port_value: port } });

function bootstrapOf(
  { name, wasmPath }: BuiltFilter,
  configuration: unknown,
  clusters: Readonly<Record<string, number>>,
): Record<string, unknown> {
  const wasm = {
    "@type": type("envoy.extensions.filters.http.wasm.v3.Wasm"),
    config: {
      name,
      configuration: { "@type": type("google.protobuf.StringValue"), value: JSON.stringify(configuration) },
      vm_config: { vm_id: name, runtime: "envoy.wasm.runtime.v8", code: { local: { filename: wasmPath } } },
    },
  };
  const manager = {
    "@type": type("envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"),
    stat_prefix: "edge",
    normalize_path: true,
    access_log: [
      {
        name: "stderr",
        typed_config: {
          "@type": type("envoy.extensions.access_loggers.stream.v3.StderrAccessLog"),
          log_format: {
            text_format_source: { inline_string: "%RESPONSE_CODE% %RESPONSE_CODE_DETAILS% %REQ(:PATH)%\n" },
          },
        },
      },
    ],
    http_filters: [
      { name, typed_config: wasm },
      { name: "router", typed_config: { "@type": type("envoy.extensions.filters.http.router.v3.Router") } },
    ],
    route_config: {
      virtual_hosts: [
        { name: "all", domains: ["*"], routes: [{ match: { prefix: "/" }, route: { cluster: "upstream" } }] },
      ],
    },
  };
  return {
    admin: { address: address(0) },
    static_resources: {
      listeners: [
        {
          name: "edge",
          address: address(0),
          filter_chains: [{ filters: [{ name: "manager", typed_config: manager }] }],
        },
      ],
      clusters: Object.entries(clusters).map(([cluster_name, port]) => ({
        name: cluster_name,
        connect_timeout: "1s",
        load_assignment: { cluster_name, endpoints: [{ lb_endpoints: [{ endpoint: { address: address(port) } }] }] },
      })),
    },
  };
}
