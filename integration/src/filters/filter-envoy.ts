import { readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import { fileURLToPath } from "node:url";
import { type BuildResult, buildFilter } from "@chancery/filter-sdk/build";
import { findEnvoy, type RunningEnvoy, startEnvoy } from "@chancery/xds-server/envoy";
import type { Authority, Certificate } from "../harness/certificates.ts";

/** One Envoy, a listener for each configuration of one filter, and routes that Envoy answers itself. */
export interface FilterEnvoy {
  readonly envoy: RunningEnvoy;
  /** A request through the filter, on the first listener unless another is named. */
  request(path: string, options?: RequestOptions): Promise<Reply>;
  stop(): Promise<void>;
}

export interface RequestOptions {
  readonly method?: string;
  readonly headers?: http.OutgoingHttpHeaders;
  readonly listener?: number;
  /** What the client shows to a listener with TLS; no certificate when absent. */
  readonly client?: Certificate;
}

/** TLS that asks for a certificate of one authority. */
export interface FilterTls {
  readonly authority: Authority;
  readonly server: Certificate;
}

export interface Reply {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

export type BuiltFilter = Extract<BuildResult, { readonly ok: true }>;

/** Builds the filter in a folder of this repository. */
export async function builtFilter(folder: string): Promise<BuiltFilter> {
  const built = await buildFilter(fileURLToPath(new URL(`../../../${folder}`, import.meta.url)));
  if (!built.ok) throw new Error(built.errors.join("\n"));
  return built;
}

/** The name of the route that answers what `/unnamed` does not. */
export const namedRoute = "everything";
export const virtualHost = "shop";

/** Starts an Envoy of one worker with a filter and its configurations in the bootstrap. Throws when Envoy does not take them. */
export function startFilterEnvoy(filter: BuiltFilter, ...configurations: readonly unknown[]): Promise<FilterEnvoy> {
  return start(filter, configurations, { workers: 1 });
}

/** The same with so many workers. */
export function startFilterWorkers(
  workers: number,
  filter: BuiltFilter,
  ...configurations: readonly unknown[]
): Promise<FilterEnvoy> {
  return start(filter, configurations, { workers });
}

/** The same with one worker and one listener, over TLS. */
export function startFilterEnvoyWithTls(
  filter: BuiltFilter,
  tls: FilterTls,
  configuration: unknown,
): Promise<FilterEnvoy> {
  return start(filter, [configuration], { workers: 1, tls });
}

async function start(
  filter: BuiltFilter,
  configurations: readonly unknown[],
  { workers, tls }: { readonly workers: number; readonly tls?: FilterTls },
): Promise<FilterEnvoy> {
  const { path } = await findEnvoy();
  const envoy = await startEnvoy({
    envoy: path,
    bootstrap: bootstrapOf(filter, configurations, tls),
    args: ["--concurrency", String(workers)],
    logLevel: "error",
  });
  const ports = await Promise.all(configurations.map((_, listener) => envoy.listenerPort(listenerName(listener))));
  const agent = new http.Agent({ keepAlive: true, maxSockets: 16 });
  return {
    envoy,
    request: (path, { method = "GET", headers = {}, listener = 0, client } = {}) =>
      new Promise((resolve, reject) => {
        const to = { host: "127.0.0.1", port: ports[listener], path, method, headers };
        const answered = (answer: http.IncomingMessage): void => {
          let body = "";
          answer.setEncoding("utf8").on("data", (text: string) => {
            body += text;
          });
          answer.on("end", () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body }));
          answer.on("error", reject);
        };
        const sent = tls
          ? https.request({ ...to, ...clientTls(tls, client), agent: false }, answered)
          : http.request({ ...to, agent }, answered);
        sent.on("error", reject).end();
      }),
    async stop() {
      agent.destroy();
      await envoy.stop();
    },
  };
}

/** The name in the server's certificate is not what these tests are about. */
function clientTls({ authority }: FilterTls, client: Certificate | undefined): https.RequestOptions {
  const shown = client && { cert: readFileSync(client.certFile), key: readFileSync(client.keyFile) };
  return { ca: readFileSync(authority.certFile), checkServerIdentity: () => undefined, ...shown };
}

const type = (name: string): string => `type.googleapis.com/${name}`;

const listenerName = (listener: number): string => `edge-${listener}`;
const anyPort = { socket_address: { address: "127.0.0.1", port_value: 0 } };

function bootstrapOf(
  filter: BuiltFilter,
  configurations: readonly unknown[],
  tls: FilterTls | undefined,
): Record<string, unknown> {
  const tag = (tag_name: string) => ({ tag_name, regex: `^wasmcustom\\..*(;${tag_name}=([^;]*))` });
  return {
    admin: { address: anyPort },
    stats_config: { stats_tags: ["rule", "route", "status", "reason", "peer"].map(tag) },
    // Histograms are merged at each flush.
    stats_flush_interval: "0.1s",
    static_resources: {
      listeners: configurations.map((configuration, listener) => ({
        name: listenerName(listener),
        address: anyPort,
        filter_chains: [
          {
            filters: [{ name: "manager", typed_config: manager(filter, configuration) }],
            ...(tls && { transport_socket: downstreamTls(tls) }),
          },
        ],
      })),
    },
  };
}

/** Clients need no certificate, but one that they show must be the authority's. */
function downstreamTls({ authority, server }: FilterTls): Record<string, unknown> {
  const file = (filename: string) => ({ filename });
  return {
    name: "tls",
    typed_config: {
      "@type": type("envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext"),
      common_tls_context: {
        tls_certificates: [{ certificate_chain: file(server.certFile), private_key: file(server.keyFile) }],
        validation_context: { trusted_ca: file(authority.certFile) },
      },
    },
  };
}

function manager({ name, wasmPath }: BuiltFilter, configuration: unknown): Record<string, unknown> {
  const wasm = {
    "@type": type("envoy.extensions.filters.http.wasm.v3.Wasm"),
    config: {
      name,
      root_id: name,
      configuration: { "@type": type("google.protobuf.StringValue"), value: JSON.stringify(configuration) },
      // One VM serves all of them.
      vm_config: { vm_id: name, runtime: "envoy.wasm.runtime.v8", code: { local: { filename: wasmPath } } },
    },
  };
  const answer = (status: number, body: string) => ({ status, body: { inline_string: body } });
  const routes = [
    { match: { prefix: "/unnamed" }, direct_response: answer(404, "nothing here") },
    { name: namedRoute, match: { prefix: "/" }, direct_response: answer(200, "served") },
  ];
  return {
    "@type": type("envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"),
    stat_prefix: "edge",
    normalize_path: true,
    http_filters: [
      { name, typed_config: wasm },
      { name: "router", typed_config: { "@type": type("envoy.extensions.filters.http.router.v3.Router") } },
    ],
    route_config: { virtual_hosts: [{ name: virtualHost, domains: ["*"], routes }] },
  };
}
