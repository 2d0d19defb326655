import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type IncomingHttpHeaders, type IncomingMessage, request, type ServerResponse } from "node:http";
import {
  connect as connectHttp2,
  createServer as createHttp2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from "node:http2";
import { createServer as createTlsServer, request as requestTls } from "node:https";
import { connect, createServer as createTcpServer } from "node:net";
import path from "node:path";
import { after, before, suite, test } from "node:test";
import type { RunningEnvoy } from "@chancery/xds-server/envoy";
import { Authority } from "../harness/certificates.ts";
import { type AnyDocument, TestMesh } from "../harness/test-mesh.ts";

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A request as a service received it. */
interface Seen {
  readonly service: string;
  readonly version: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

const attempts = new Map<string, number>();

/** Answers with the request that it received. It never answers /slow, and answers the first request to /flaky with 503. */
const echo =
  (service: string) =>
  (request: IncomingMessage | Http2ServerRequest, response: ServerResponse | Http2ServerResponse): void => {
    const { url = "", httpVersion: version, headers } = request;
    if (url.startsWith("/slow")) return;
    const attempt = (attempts.get(url) ?? 0) + 1;
    attempts.set(url, attempt);
    response.statusCode = url.startsWith("/flaky") && attempt === 1 ? 503 : 200;
    response.setHeader("x-powered-by", "echo");
    response.end(JSON.stringify({ service, version, path: url, headers } satisfies Seen));
  };

/** The routes of the mesh. Envoy uses the first that matches. */
const routes = [
  { match: { path: "/exact" }, cluster: "one" },
  { match: { regex: "/v[0-9]+/cart" }, cluster: "two" },
  { match: { prefix: "/by", methods: ["PUT", "POST"] }, cluster: "two" },
  { match: { prefix: "/by", headers: [{ name: "x-canary", exact: "yes" }] }, cluster: "two" },
  { match: { prefix: "/by", query: [{ name: "beta", present: true }] }, cluster: "two" },
  { match: { prefix: "/by" }, cluster: "one" },
  {
    match: { prefix: "/weighted" },
    clusters: [
      { name: "one", weight: 1 },
      { name: "two", weight: 3 },
    ],
  },
  { match: { prefix: "/old/" }, cluster: "one", rewrite: { prefix: "/new/", host: "inner.test" } },
  {
    match: { regex: "/items/[0-9]+" },
    cluster: "one",
    rewrite: { regex: { pattern: "^/items/([0-9]+)$", substitution: "/item-\\1" } },
  },
  { match: { prefix: "/moved" }, redirect: { host: "shop.test", prefix: "/here", status: 308 } },
  { match: { path: "/teapot" }, directResponse: { status: 418, body: "short and stout" } },
  {
    match: { path: "/edited" },
    cluster: "one",
    requestHeaders: { set: { "x-tenant": "acme" }, remove: ["x-secret"] },
    responseHeaders: { add: { "x-via": "%UPSTREAM_CLUSTER%" }, remove: ["x-powered-by"] },
  },
  { match: { path: "/slow" }, cluster: "one", timeout: "0.2s" },
  { match: { path: "/flaky" }, cluster: "one", retry: { on: ["5xx"], attempts: 1 } },
  { match: { path: "/flaky-once" }, cluster: "one" },
  { match: { path: "/h2" }, cluster: "h2" },
  { match: { path: "/tls" }, cluster: "tls" },
  { match: { path: "/tls-other-name" }, cluster: "tls-other-name" },
  { match: { path: "/tls-stranger" }, cluster: "tls-stranger" },
  { match: { path: "/dns" }, cluster: "dns" },
];

suite("one mesh on a real Envoy", () => {
  let mesh: TestMesh;
  let edge: RunningEnvoy;
  let inner: RunningEnvoy;
  let port: number;
  let authority: Authority;

  before(async () => {
    mesh = await TestMesh.start();
    authority = new Authority(path.join(mesh.folder, "ours"));
    const otherAuthority = new Authority(path.join(mesh.folder, "theirs"));
    const certificate = authority.issue("shop", "DNS:shop.test");
    const one = await mesh.service(echo("one"));
    const at = (there: number) => ({ endpoints: [{ address: "127.0.0.1", port: there }] });
    const tls = await mesh.listen(
      createTlsServer(
        { cert: readFileSync(certificate.certFile), key: readFileSync(certificate.keyFile) },
        echo("tls"),
      ),
    );
    const verifying = (serverName: string, caFile: string) => ({ ...at(tls), tls: { serverName, caFile } });
    const clusters = {
      one: at(one),
      two: at(await mesh.service(echo("two"))),
      h2: { ...at(await mesh.listen(createHttp2Server(echo("h2")))), protocol: "http2" },
      tls: verifying("shop.test", authority.certFile),
      "tls-other-name": verifying("other.test", authority.certFile),
      "tls-stranger": verifying("shop.test", otherAuthority.certFile),
      dns: { dns: { hostname: "localhost", port: one } },
      tcp: at(await mesh.listen(createTcpServer((socket) => void socket.end("raw bytes")))),
    };
    const { certFile, keyFile } = certificate;
    const listeners = {
      edge: { port: 0, nodeGroup: "edge", http: { routes: ["shop"] } },
      "edge-tls": { port: 0, nodeGroup: "edge", tls: { certFile, keyFile }, http: { routes: ["shop"] } },
      "inner-tcp": { port: 0, nodeGroup: "inner", tcp: { cluster: "tcp" } },
    };
    const documents = (kind: AnyDocument["kind"], specs: Record<string, unknown>): AnyDocument[] =>
      Object.entries(specs).map(([name, spec]) => ({ kind, name, spec }));
    await mesh.apply({
      set: [
        ...documents("NodeGroup", {
          edge: { match: { clusters: ["edge"] } },
          inner: { match: { ids: ["inner-*"] } },
        }),
        ...documents("Cluster", clusters),
        ...documents("Route", { shop: { hosts: ["*"], routes } }),
        ...documents("Listener", listeners),
      ],
    });
    [edge, inner] = await Promise.all([
      mesh.envoy({ variant: "delta" }),
      mesh.envoy({ variant: "sotw", nodeId: "inner-1", cluster: "inner" }),
    ]);
    port = await edge.listenerPort("edge");
  });
  after(() => mesh[Symbol.asyncDispose]());

  const ask = (where: string, options: { method?: string; headers?: Record<string, string> } = {}) =>
    answered(request({ host: "127.0.0.1", port, path: where, agent: false, ...options }));
  const seen = async (...args: Parameters<typeof ask>): Promise<Seen> => {
    const { status, body } = await ask(...args);
    assert.equal(status, 200, body);
    return JSON.parse(body);
  };
  const serviceOf = async (...args: Parameters<typeof ask>) => (await seen(...args)).service;

  test("matches by path, regular expression, method, header and query, in order", async () => {
    assert.equal(await serviceOf("/exact"), "one");
    assert.equal((await ask("/exact/more")).status, 404);
    assert.equal(await serviceOf("/v12/cart"), "two");
    assert.equal((await ask("/vv/cart")).status, 404);
    assert.equal(await serviceOf("/by"), "one");
    assert.equal(await serviceOf("/by", { method: "PUT" }), "two");
    assert.equal(await serviceOf("/by", { headers: { "x-canary": "yes" } }), "two");
    assert.equal(await serviceOf("/by", { headers: { "x-canary": "no" } }), "one");
    assert.equal(await serviceOf("/by?beta=1"), "two");
  });

  test("divides requests by weight", async () => {
    const services = await Promise.all(Array.from({ length: 200 }, () => serviceOf("/weighted")));
    const share = services.filter((service) => service === "two").length / services.length;
    // 150 are expected. Fewer than 120 or more than 180 happen once in a million runs.
    assert.ok(share > 0.6 && share < 0.9, `${share} went to the cluster of weight 3 in 4`);
  });

  test("rewrites prefixes and hosts, and paths by a regular expression", async () => {
    const { path: rewritten, headers } = await seen("/old/shoe?size=9");
    assert.deepEqual([rewritten, headers.host], ["/new/shoe?size=9", "inner.test"]);
    assert.equal((await seen("/items/42")).path, "/item-42");
  });

  test("redirects, and answers directly", async () => {
    const { status, headers } = await ask("/moved/on");
    assert.deepEqual([status, headers.location], [308, "http://shop.test/here/on"]);
    const { status: teapot, body } = await ask("/teapot");
    assert.deepEqual([teapot, body], [418, "short and stout"]);
  });

  test("edits the headers of requests and responses", async () => {
    const { headers, body } = await ask("/edited", { headers: { "x-secret": "1", "x-tenant": "other" } });
    assert.deepEqual([headers["x-via"], headers["x-powered-by"]], ["one", undefined]);
    const upstream = (JSON.parse(body) as Seen).headers;
    assert.deepEqual([upstream["x-tenant"], upstream["x-secret"]], ["acme", undefined]);
  });

  test("gives up after the timeout, and retries where the route says so", async () => {
    const started = performance.now();
    assert.equal((await ask("/slow")).status, 504);
    const tookMs = performance.now() - started;
    assert.ok(tookMs >= 190 && tookMs < 2000, `took ${tookMs} ms`);
    assert.equal((await ask("/flaky")).status, 200);
    assert.equal((await ask("/flaky-once")).status, 503);
  });

  test("speaks HTTP/2 to a service, and finds a service by DNS", async () => {
    assert.deepEqual([(await seen("/h2")).version, (await seen("/exact")).version], ["2.0", "1.1"]);
    assert.equal(await serviceOf("/dns"), "one");
  });

  test("speaks TLS to a service with the right name and authority in its certificate, and to no other", async () => {
    assert.equal(await serviceOf("/tls"), "tls");
    for (const [rejecting, reason] of [
      ["tls-other-name", "fail_verify_san"],
      ["tls-stranger", "fail_verify_error"],
    ]) {
      assert.equal((await ask(`/${rejecting}`)).status, 503);
      const [count = 0] = (await edge.stats(`^cluster\\.${rejecting}\\.ssl\\.${reason}$`)).values();
      assert.ok(count > 0, `${rejecting} counts ${reason}`);
    }
  });

  test("accepts TLS from clients, with HTTP/1 and HTTP/2, and presents the certificate in its files", async () => {
    const ca = readFileSync(authority.certFile);
    const options = {
      host: "127.0.0.1",
      port: await edge.listenerPort("edge-tls"),
      servername: "shop.test",
      agent: false,
    };
    const { status } = await answered(requestTls({ ...options, ca, path: "/exact" }));
    assert.equal(status, 200);
    await assert.rejects(answered(requestTls({ ...options, path: "/exact" })), /certificate/);
    const session = connectHttp2(`https://127.0.0.1:${options.port}`, { ca, servername: "shop.test" });
    const stream = session.request({ ":path": "/exact" });
    const [headers] = (await once(stream, "response")) as [{ readonly ":status": number }];
    assert.equal(headers[":status"], 200);
    session.destroy();
  });

  test("forwards TCP connections unchanged", async () => {
    const socket = connect({ host: "127.0.0.1", port: await inner.listenerPort("inner-tcp") });
    const pieces: Buffer[] = [];
    for await (const piece of socket) pieces.push(piece);
    assert.equal(Buffer.concat(pieces).toString(), "raw bytes");
  });

  test("gives each node group its own listeners", async () => {
    const names = async (envoy: RunningEnvoy) => (await envoy.dynamicListeners()).map(({ name }) => name).sort();
    assert.deepEqual(await names(edge), ["edge", "edge-tls"]);
    assert.deepEqual(await names(inner), ["inner-tcp"]);
  });
});

async function answered(sent: ReturnType<typeof request>): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  sent.on("error", reject).on("response", (response) => {
    let body = "";
    response.setEncoding("utf8").on("data", (piece: string) => {
      body += piece;
    });
    response.on("error", reject).on("end", () => {
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
    });
  });
  sent.end();
  return promise;
}
