import { readFileSync } from "node:fs";
import http from "node:http";
import type https from "node:https";
import type { RunningEnvoy } from "@chancery/xds-server/envoy";
import type { BuiltFilter } from "../harness/built-filter.ts";
import type { Authority, Certificate } from "../harness/certificates.ts";
import { type Listening, listen } from "../harness/listening.ts";
import {
  bootstrapOf,
  clusterOf,
  extension,
  type Fields,
  httpConnectionManager,
  wasmFilter,
} from "../harness/static-bootstrap.ts";
import { startTestEnvoy } from "../harness/test-envoy.ts";
import { exchange, type Reply, type RequestOptions } from "./exchange.ts";

/** One Envoy, and a listener for each configuration of one filter. */
export interface FilterEnvoy {
  readonly envoy: RunningEnvoy;
  /** A request through the filter, on the first listener unless another is named. */
  request(path: string, options?: FilterRequest): Promise<FilterReply>;
  stop(): Promise<void>;
}

export interface FilterRequest extends RequestOptions {
  readonly listener?: number;
  /** The client's certificate for a listener with TLS. Absent: none. */
  readonly client?: Certificate;
}

export interface FilterReply extends Reply {
  /** The request as the upstream `echoRequest` received it. Undefined: something else answered. */
  readonly seen: SeenRequest | undefined;
}

export interface SeenRequest {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface FilterEnvoyOptions {
  /** Worker threads. Absent: 1. */
  readonly workers?: number;
  /** Absent: plaintext. */
  readonly tls?: FilterTls;
  /**
   * Answers the requests that pass the filter. Envoy then logs a line for each request: status, details, path. Absent:
   * Envoy answers.
   */
  readonly upstream?: http.RequestListener;
  /** Further clusters that the filter may call: the port of each, by its name. */
  readonly clusters?: Readonly<Record<string, number>>;
  /** The buffer limit of the listeners and the upstream's cluster, in bytes. Absent: Envoy's default. */
  readonly bufferLimit?: number;
  /** A filter that holds the headers back still receives the body. Absent: no. */
  readonly holdsHeaders?: boolean;
}

/** TLS that accepts client certificates of one authority. */
export interface FilterTls {
  readonly authority: Authority;
  readonly server: Certificate;
}

/** The name of the route for all paths but `/unnamed`. */
export const namedRoute = "everything";
export const virtualHost = "shop";

/** Starts an Envoy with a filter and its configurations in the bootstrap. Throws when Envoy rejects them. */
export async function startFilterEnvoy(
  filter: BuiltFilter,
  configurations: readonly unknown[],
  options: FilterEnvoyOptions = {},
): Promise<FilterEnvoy> {
  const upstream = options.upstream && (await listen(http.createServer(options.upstream)));
  const bootstrap = filterBootstrap(filter, configurations, { ...options, upstreamPort: upstream?.port });
  const envoy = await startTestEnvoy(bootstrap, { workers: options.workers ?? 1 }).catch((error: unknown) => {
    upstream?.close();
    throw error;
  });
  return running(envoy, { upstream, tls: options.tls, listeners: configurations.length });
}

interface Parts {
  readonly upstream: Listening | undefined;
  readonly tls: FilterTls | undefined;
  readonly listeners: number;
}

async function running(envoy: RunningEnvoy, { upstream, tls, listeners }: Parts): Promise<FilterEnvoy> {
  const ports = await Promise.all(
    Array.from({ length: listeners }, (_, listener) => envoy.listenerPort(listenerName(listener))),
  );
  const kept = new http.Agent({ keepAlive: true, maxSockets: 16 });
  // Requests to an upstream may be aborted and may wait for each other, so each has a connection of its own.
  const agent = tls !== undefined || upstream !== undefined ? false : kept;
  return {
    envoy,
    async request(path, { listener = 0, client, ...options } = {}) {
      const to = { path, port: ports[listener], agent, ...(tls && clientTls(tls, client)) };
      const reply = await exchange(to, options);
      return { ...reply, seen: reply.headers["x-upstream"] === undefined ? undefined : JSON.parse(reply.body) };
    },
    async stop() {
      kept.destroy();
      await envoy.stop();
      upstream?.close();
    },
  };
}

/** An upstream that answers with the request that it received, as JSON. */
export function echoRequest(request: http.IncomingMessage, response: http.ServerResponse): void {
  let body = "";
  request.setEncoding("utf8").on("data", (text: string) => {
    body += text;
  });
  request.on("end", () => {
    const seen = { path: request.url, headers: request.headers, body };
    response.setHeader("x-upstream", "1").end(JSON.stringify(seen));
  });
}

/** TLS without a check of the server's name, which these tests are not about. */
function clientTls({ authority }: FilterTls, client: Certificate | undefined): https.RequestOptions {
  const shown = client && { cert: readFileSync(client.certFile), key: readFileSync(client.keyFile) };
  return { ca: readFileSync(authority.certFile), checkServerIdentity: () => undefined, ...shown };
}

const listenerName = (listener: number): string => `edge-${listener}`;

function filterBootstrap(
  { name, wasmPath }: BuiltFilter,
  configurations: readonly unknown[],
  options: FilterEnvoyOptions & { readonly upstreamPort: number | undefined },
) {
  const { tls, upstreamPort, clusters = {}, bufferLimit, holdsHeaders = false } = options;
  const tag = (tag_name: string) => ({ tag_name, regex: `^wasmcustom\\..*(;${tag_name}=([^;]*))` });
  const hasUpstream = upstreamPort !== undefined;
  return bootstrapOf({
    fields: {
      stats_config: { stats_tags: ["rule", "route", "status", "reason", "peer"].map(tag) },
      // Histograms are merged at each flush.
      stats_flush_interval: "0.1s",
    },
    listeners: configurations.map((configuration, listener) => {
      const plugin = { name, wasmPath, configuration: JSON.stringify(configuration), holdsHeaders };
      const manager = httpConnectionManager({
        filters: [wasmFilter("http", plugin)],
        routes: hasUpstream ? [{ name: namedRoute, ...all, route: { cluster: "upstream" } }] : answered,
        virtualHost,
        fields: { normalize_path: true, ...(hasUpstream && { access_log: [accessLog] }) },
      });
      return {
        name: listenerName(listener),
        filters: [manager],
        ...(bufferLimit !== undefined && { bufferLimit }),
        ...(tls && { transportSocket: downstreamTls(tls) }),
      };
    }),
    clusters: [
      ...(hasUpstream ? [clusterOf("upstream", upstreamPort, { bufferLimit })] : []),
      ...Object.entries(clusters).map(([cluster, port]) => clusterOf(cluster, port)),
    ],
  });
}

const all = { match: { prefix: "/" } };

/** Routes that Envoy answers itself. */
const answered: readonly Fields[] = [
  { match: { prefix: "/unnamed" }, direct_response: { status: 404, body: { inline_string: "nothing here" } } },
  { name: namedRoute, ...all, direct_response: { status: 200, body: { inline_string: "served" } } },
];

const accessLog = extension("stderr", "access_loggers.stream.v3.StderrAccessLog", {
  log_format: { text_format_source: { inline_string: "%RESPONSE_CODE% %RESPONSE_CODE_DETAILS% %REQ(:PATH)%\n" } },
});

/** A client's certificate is optional, but must be the authority's. */
function downstreamTls({ authority, server }: FilterTls): Fields {
  const file = (filename: string) => ({ filename });
  return extension("tls", "transport_sockets.tls.v3.DownstreamTlsContext", {
    common_tls_context: {
      tls_certificates: [{ certificate_chain: file(server.certFile), private_key: file(server.keyFile) }],
      validation_context: { trusted_ca: file(authority.certFile) },
    },
  });
}
