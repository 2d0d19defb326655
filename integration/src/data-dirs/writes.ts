import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { AnyDocument, Change } from "../harness/test-mesh.ts";

/** A request to the admin API. Some of these make a revision. */
export interface Write {
  readonly method: "POST" | "PUT" | "DELETE";
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** A value to send as JSON. */
  readonly body?: unknown;
  readonly wasm?: Uint8Array<ArrayBuffer>;
}

/** Two modules of some hundred bytes each, which do nothing useful. The first has a manifest, the second logs. */
const modules = ["first", "second"].map((name) =>
  Uint8Array.from(readFileSync(new URL(`../../testdata/data-dirs/modules/${name}.wasm`, import.meta.url))),
);
const [first = "", second = ""] = modules.map((wasm) => createHash("sha256").update(wasm).digest("hex"));

const document = (kind: AnyDocument["kind"], name: string, spec: object): AnyDocument => ({ kind, name, spec });
const cluster = (name: string, spec: object) => document("Cluster", name, spec);
const endpoint = (address: string, port = 80) => ({ address, port });
const apply = (change: Change, headers: Write["headers"] = {}): Write => ({
  method: "POST",
  path: "/api/v1/apply",
  headers,
  body: change,
});

/** The documents in the server's configuration file at the first start. */
export const configFile: readonly AnyDocument[] = [
  document("NodeGroup", "eu", { match: { locality: { region: "eu*", zone: "eu-?", subZone: "rack-*" } } }),
  document("NodeGroup", "us", { match: { ids: ["us-*"], clusters: ["edge"], metadata: { stage: "prod", rack: "7" } } }),
  cluster("cart", { eds: {} }),
  document("Endpoints", "cart", { endpoints: [{ ...endpoint("10.0.0.1"), weight: 3 }, endpoint("fd00::1", 8080)] }),
];

const limits = { maxConnections: 10, maxPendingRequests: 20, maxRequests: 30, maxRetries: 4 };
const files = { certFile: "/certs/tls.pem", keyFile: "/certs/tls.key" };
const clusters: readonly AnyDocument[] = [
  cluster("pay", { endpoints: [{ ...endpoint("10.0.1.1", 443), weight: 9 }], tls: { serverName: "pay.example.com" } }),
  cluster("pay-v2", { endpoints: [], protocol: "http2", lbPolicy: "ROUND_ROBIN", connectTimeout: "250ms", ...limits }),
  cluster("stock", { dns: { hostname: "stock.internal", port: 443, refreshRate: "30s" }, tls: { caFile: "/ca.pem" } }),
  cluster("mail", { dns: { hostname: "10.0.0.9", port: 25, mode: "logical" }, tls: { insecureSkipVerify: true } }),
  cluster("ledger", { eds: {}, tls: { ...files, subjectAltNames: ["ledger", "10.0.0.1", "spiffe://shop/ledger"] } }),
  cluster("taxes", { nodeGroup: "us", endpoints: [endpoint("10.2.0.1")] }),
  cluster("vat", { nodeGroup: "eu", eds: {} }),
  document("Endpoints", "vat", { nodeGroup: "eu", endpoints: [endpoint("10.3.0.1")] }),
  document("Endpoints", "ledger", { endpoints: [] }),
];

const anyPort = { address: "0.0.0.0", port: 0 };
const header = (name: string, condition: object) => ({ name, ...condition });
const conditions = [{ exact: "a" }, { prefix: "a" }, { suffix: "a" }, { contains: "a" }, { regex: "a+" }];
const presences = [{ present: true }, { present: false }];
const everyMatch = {
  prefix: "/match",
  methods: ["GET", "M-SEARCH"],
  headers: [...conditions, ...presences, { exact: "b", invert: true }].map((each, at) => header(`x-${at}`, each)),
  query: [...conditions, ...presences].map((each, at) => header(`q${at}`, each)),
};
const edits = { set: { "x-client": "%DOWNSTREAM_REMOTE_ADDRESS%" }, add: { "x-share": "100%%" }, remove: ["cookie"] };
const retry = { on: ["5xx", "connect-failure", "unavailable"], attempts: 3, perTryTimeout: "400ms" };
const shop = {
  hosts: ["shop.example.com", "*.shop.example.com", "[::1]"],
  routes: [
    { match: everyMatch, cluster: "cart", requestHeaders: edits, responseHeaders: edits },
    { match: { path: "/pay" }, clusters: [header("pay", { weight: 90 }), header("pay-v2", { weight: 10 })], retry },
    { match: { path: "/old" }, redirect: { path: "/new" } },
    { match: { prefix: "/c" }, redirect: { prefix: "/d", status: 308 } },
    { match: { path: "/secure" }, redirect: { scheme: "https", host: "shop.example.com", port: 8443, status: 302 } },
    { match: { path: "/health" }, directResponse: { status: 200, body: "ok ü" } },
    { match: { prefix: "/a" }, cluster: "cart", rewrite: { prefix: "/b", host: "cart.internal" }, timeout: "0s" },
    { match: { path: "/one" }, cluster: "cart", rewrite: { path: "/two" }, timeout: "1.5s" },
    {
      match: { regex: "/v[0-9]+/.*" },
      cluster: "stock",
      rewrite: { regex: { pattern: "^/v([0-9]+)/(.*)$", substitution: "/\\2?version=\\1" } },
    },
    { match: {}, cluster: "cart" },
  ],
};
const http = { idleTimeout: "0s", requestTimeout: "1m", maxRequestHeadersKb: 16, accessLog: true };
const routesAndListeners: readonly AnyDocument[] = [
  document("Route", "shop", shop),
  document("Route", "rest", { hosts: ["*"], routes: [{ match: {}, directResponse: { status: 404 } }] }),
  document("Route", "taxes", { hosts: ["*"], routes: [{ match: {}, cluster: "taxes" }] }),
  document("Listener", "edge", { ...anyPort, tls: files, http: { routes: ["shop", "rest"], ...http } }),
  document("Listener", "plain", { port: 10_080, http: { routes: ["rest"] } }),
  document("Listener", "us", { nodeGroup: "us", port: 10_081, http: { routes: ["taxes"] } }),
  document("Listener", "db", { port: 5432, tcp: { cluster: "ledger" } }),
  document("Listener", "db-tls", {
    address: "::1",
    port: 5433,
    tls: files,
    tcp: { cluster: "ledger", idleTimeout: "0s" },
  }),
];

const filter = (name: string, spec: object) => document("Filter", name, spec);
const guard = {
  listeners: ["edge", "plain"],
  sha256: first,
  config: { z: 1, a: { y: [2], b: null } },
  failure: "open",
};
const canary = { sha256: second, config: { z: 2 }, percent: 2.5 };
const narrow = { listeners: ["edge"], sha256: second, order: -5, capabilities: ["proxy_log"], config: "text" };

const type = (name: string) => ({ "@type": `type.googleapis.com/${name}` });
const envoyResource = (name: string, resource: object, more: object = {}) =>
  document("EnvoyResource", name, { ...more, resource });
const fromAds = { ads: {}, resource_api_version: "V3" };
const lbEndpoint = (address: string) => ({
  endpoint: { address: { socket_address: { address, port_value: 80 } } },
});
const answering = (status: number) => [{ match: { prefix: "/" }, directResponse: { status } }];
const rdsListener = {
  ...type("envoy.config.listener.v3.Listener"),
  name: "on-demand",
  address: { socket_address: { address: "127.0.0.1", port_value: 10_090 } },
  filter_chains: [
    {
      filters: [
        {
          name: "http",
          typed_config: {
            ...type("envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"),
            stat_prefix: "on-demand",
            rds: { route_config_name: "on-demand", config_source: fromAds },
            http_filters: [{ name: "router", typed_config: type("envoy.extensions.filters.http.router.v3.Router") }],
          },
        },
      ],
    },
  ],
};
const envoyResources: readonly AnyDocument[] = [
  envoyResource("cluster", { ...type("envoy.config.cluster.v3.Cluster"), name: "original", connectTimeout: "1s" }),
  envoyResource(
    "endpoints",
    {
      ...type("envoy.config.endpoint.v3.ClusterLoadAssignment"),
      cluster_name: "vat-2",
      endpoints: [{ lb_endpoints: [lbEndpoint("10.3.0.2")] }],
    },
    { nodeGroup: "eu", ttl: "30s" },
  ),
  cluster("vat-2", { nodeGroup: "eu", eds: {} }),
  envoyResource("secret", {
    ...type("envoy.extensions.transport_sockets.tls.v3.Secret"),
    name: "ticket-keys",
    session_ticket_keys: { keys: [{ inline_bytes: Buffer.alloc(80, "A").toString("base64") }] },
  }),
  envoyResource(
    "runtime",
    { ...type("envoy.service.runtime.v3.Runtime"), name: "flags", layer: { a: { b: true, c: [1, "two"] } } },
    { ttl: "1m" },
  ),
  envoyResource("listener", rdsListener),
  envoyResource("routes", {
    ...type("envoy.config.route.v3.RouteConfiguration"),
    name: "on-demand",
    virtual_hosts: [{ name: "always", domains: ["always.example"], routes: answering(200) }],
    vhds: { config_source: fromAds },
  }),
  envoyResource("virtual-host", {
    ...type("envoy.config.route.v3.VirtualHost"),
    name: "on-demand/shop",
    domains: ["shop.example", "*.shop.example"],
    routes: answering(201),
  }),
  envoyResource("scope", {
    ...type("envoy.config.route.v3.ScopedRouteConfiguration"),
    name: "tenant",
    route_configuration_name: "on-demand",
    key: { fragments: [{ string_key: "tenant" }] },
  }),
  envoyResource("extension", {
    ...type("envoy.config.core.v3.TypedExtensionConfig"),
    name: "buffer",
    typed_config: { ...type("envoy.extensions.filters.http.buffer.v3.Buffer"), max_request_bytes: 1024 },
  }),
];

/** The writes while the server runs with its configuration file. */
export const firstWrites: readonly Write[] = [
  apply({ set: clusters }, { "x-chancery-author": "ann", "x-chancery-message": "the clusters" }),
  apply({ set: routesAndListeners }),
  ...modules.map(
    (wasm, at): Write => ({ method: "POST", path: `/api/v1/filters/guard/versions?version=1.${at}`, wasm }),
  ),
  apply({ set: [filter("guard", guard), filter("narrow", narrow)] }),
  { method: "PUT", path: "/api/v1/filters/guard", body: { spec: { ...guard, sha256: second, config: { z: 2 } } } },
  { method: "POST", path: "/api/v1/filters/guard/rollback" },
  apply({ set: envoyResources }, { "x-chancery-message": "what has no kind of its own" }),
];

/** The writes after the server was started again without the file. */
export const furtherWrites: readonly Write[] = [
  { method: "PUT", path: "/api/v1/endpoints/cart", body: { spec: { endpoints: [endpoint("10.0.0.7")] } } },
  apply({
    set: [],
    delete: [
      { kind: "Route", name: "taxes" },
      { kind: "Listener", name: "us" },
    ],
  }),
  { method: "DELETE", path: "/api/v1/clusters/mail" },
  { method: "POST", path: "/api/v1/revisions/8/restore" },
  { method: "DELETE", path: "/api/v1/clusters/mail?message=again" },
  { method: "PUT", path: "/api/v1/clusters/mail", body: { spec: { endpoints: [endpoint("10.0.0.9", 25)] } } },
  { method: "PUT", path: "/api/v1/clusters/A_b.c:d%2Fe%7Cf~g@h+i-j", body: { spec: { eds: {} } } },
  { method: "PUT", path: "/api/v1/filters/guard", body: { spec: { ...guard, canary } } },
  { method: "PUT", path: "/api/v1/endpoints/vat", body: { spec: { nodeGroup: "eu", endpoints: [] } } },
  { method: "DELETE", path: "/api/v1/endpoints/ledger" },
];
