import swagger from "@fastify/swagger";
import { type FastifyError, type FastifyInstance, type FastifyRequest, fastify } from "fastify";
import { problemOf } from "../model/problem.ts";
import type { AdminDeps } from "./admin-deps.ts";
import { registerBodies, unsupportedType } from "./body.ts";
import { registerDocuments } from "./documents.ts";
import { registerEvents } from "./events.ts";
import { registerFilterRollback } from "./filter-rollback.ts";
import { registerFilterTraps } from "./filter-traps.ts";
import { registerFilters } from "./filters.ts";
import { guard, isLoopback } from "./guard.ts";
import { livenessUrl, readinessUrl, registerHealth } from "./health.ts";
import { KnownUrls } from "./known-urls.ts";
import { registerLoad } from "./load.ts";
import { registerMesh } from "./mesh.ts";
import { componentSchemas } from "./openapi.ts";
import { problemDetails, problemMediaType, RequestError, requestError, sendError, shortened } from "./problem-json.ts";
import { registerProxies } from "./proxies.ts";
import { RequestsUnderWay } from "./requests-under-way.ts";
import { registerRevisions } from "./revisions.ts";

export interface RunningAdmin {
  readonly host: string;
  readonly port: number;
  close(): Promise<void>;
}

/** Thrown for an address on which anyone on the network could change the mesh without a token. */
export class AdminNeedsToken extends Error {
  constructor(host: string) {
    const hint = "set --admin-token-file or CHANCERY_TOKEN, or listen on 127.0.0.1 (--admin-listen)";
    super(`Cannot serve the admin API on ${host} without a token: ${hint}`);
    this.name = "AdminNeedsToken";
  }
}

/** Serves the admin API until closed. Throws AdminNeedsToken, or the system's error when it cannot listen on the address. */
export async function startAdmin(deps: AdminDeps): Promise<RunningAdmin> {
  const { listen } = deps;
  if (deps.token === undefined && !isLoopback(listen.host)) throw new AdminNeedsToken(listen.host);
  const app = await adminApp(deps);
  app.server.maxConnections = maxConnections;
  await app.listen({ host: listen.host, port: listen.port });
  const address = app.server.address();
  if (address === null || typeof address === "string") throw new Error("The admin API has no TCP address");
  return { host: address.address, port: address.port, close: () => app.close() };
}

/** The maximum number of open connections. Operators, scripts and a console need few, but some of them stay open long. */
const maxConnections = 512;
/** How long a request may take to arrive, so that a slow client cannot hold a connection for ever. */
const requestTimeoutMs = 60_000;
/** How long a connection may wait for its next request. */
const keepAliveTimeoutMs = 30_000;
/** How long the requests under way may take when the server stops, before their connections close. */
const drainLimitMs = 5_000;
/** The maximum length of a name in a URL, in characters. */
const maxParamLength = 1_024;

async function adminApp(deps: AdminDeps): Promise<FastifyInstance> {
  const app = fastify({
    bodyLimit: deps.maxBodyBytes,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: keepAliveTimeoutMs,
    forceCloseConnections: true,
    // RequestsUnderWay answers these requests, with problem details.
    return503OnClosing: false,
    routerOptions: { maxParamLength, ignoreTrailingSlash: true },
    frameworkErrors: (error, request, reply) => {
      sendError(
        reply,
        requestErrorOf(error, request) ?? requestError(400, "REQUEST_MALFORMED", "Cannot read the request"),
      );
    },
    clientErrorHandler(error, socket) {
      if (!socket.writable) return void socket.destroy();
      const message = `Cannot read the request: it is not valid HTTP (${error.code ?? "malformed"})`;
      const body = JSON.stringify(problemDetails(400, [problemOf({ code: "REQUEST_MALFORMED", message })]));
      const head = `HTTP/1.1 400 Bad Request\r\ncontent-type: ${problemMediaType}\r\nconnection: close\r\n`;
      socket.end(`${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
    },
  });
  // Fastify uses the schemas of routes only for /openapi.json. Handlers check requests with the same zod schemas, which
  // report all faults.
  app.setValidatorCompiler(() => () => true);
  app.setSerializerCompiler(() => JSON.stringify);
  const urls = new KnownUrls();
  app.addHook("onRoute", ({ url, method }) => urls.add(url, [method].flat()));
  registerGuard(app, deps);
  registerErrors(app, deps, urls);
  registerBodies(app);
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: { title: "Chancery admin API", version: "1" },
      // A server with a token requires it. A server without one is on loopback and requires nothing.
      security: [{ token: [] }, {}],
      components: { securitySchemes: { token: { type: "http", scheme: "bearer" } }, schemas: componentSchemas() },
    },
  });
  const underWay = new RequestsUnderWay(app);
  for (const register of groups) register(app, deps);
  // After the routes of events have ended their streams.
  app.addHook("preClose", () => underWay.answered(drainLimitMs));
  app.get("/openapi.json", { schema: { hide: true } }, () => app.swagger());
  return app;
}

/** Each group of routes has one file and one entry here. */
const groups: readonly ((app: FastifyInstance, deps: AdminDeps) => void)[] = [
  registerDocuments,
  registerMesh,
  registerRevisions,
  registerProxies,
  registerLoad,
  registerFilters,
  registerFilterRollback,
  registerFilterTraps,
  registerEvents,
  registerHealth,
];

function registerGuard(app: FastifyInstance, { listen, token, metrics }: AdminDeps): void {
  const { reject } = guard({ host: listen.host, token, open: new Set([livenessUrl, readinessUrl]) });
  app.addHook("onRequest", async (request, reply) => {
    reply.header("x-content-type-options", "nosniff");
    const rejected = reject(request);
    if (rejected !== undefined) throw rejected;
  });
  app.addHook("onResponse", async (request, reply) => {
    const { method, routeOptions } = request;
    const seconds = reply.elapsedTime / 1_000;
    metrics.adminAnswered({ method, route: routeOptions.url ?? "unknown", status: reply.statusCode, seconds });
  });
}

function registerErrors(app: FastifyInstance, { log }: AdminDeps, urls: KnownUrls): void {
  app.setErrorHandler<FastifyError | RequestError>((error, request, reply) => {
    const rejected = error instanceof RequestError ? error : requestErrorOf(error, request);
    // Fastify checks the content type before it calls the handler of unknown URLs.
    if (request.is404 && rejected?.status === 415) return sendError(reply, unknownUrl(request, urls));
    if (rejected !== undefined) return sendError(reply, rejected);
    log.error({ err: error, method: request.method, url: request.url }, "cannot answer a request to the admin API");
    return sendError(reply, requestError(500, "INTERNAL", "Cannot answer: the server failed, and its log says why"));
  });
  app.setNotFoundHandler((request, reply) => sendError(reply, unknownUrl(request, urls)));
}

/** The rejection of a request that no route matches. */
function unknownUrl({ method, url }: FastifyRequest, urls: KnownUrls): RequestError {
  const path = url.split("?")[0] ?? "";
  const methods = urls.methodsOf(path);
  if (methods !== undefined) {
    const allow = methods.join(", ");
    const message = `Cannot ${method} ${shortened(path)}: this URL accepts ${allow}`;
    return new RequestError(405, [problemOf({ code: "METHOD_NOT_ALLOWED", message, found: method })], { allow });
  }
  const near = urls.nearest(path);
  const hint = near === undefined ? "/openapi.json lists every URL" : `did you mean ${near}?`;
  return requestError(404, "URL_UNKNOWN", `Cannot find ${shortened(path)}`, { hint });
}

/** Translates a rejection by Fastify. Undefined when the error is not the client's fault. */
function requestErrorOf(error: FastifyError, request: FastifyRequest): RequestError | undefined {
  const message = `Cannot read the request: ${error.message}`;
  switch (error.code) {
    case "FST_ERR_CTP_BODY_TOO_LARGE":
      return requestError(413, "BODY_TOO_LARGE", "Cannot read the body: it is larger than this server accepts", {
        hint: "send it in parts, or raise the limit with --limit maxAdminBodyBytes=NUMBER",
      });
    case "FST_ERR_CTP_INVALID_MEDIA_TYPE":
      return unsupportedType(request);
    case "FST_ERR_MAX_PARAM_LENGTH":
      return requestError(414, "REQUEST_MALFORMED", "Cannot read the request: a name in its URL is too long");
    default:
      if (error.statusCode === undefined || error.statusCode >= 500) return undefined;
      return requestError(error.statusCode, "REQUEST_MALFORMED", message);
  }
}
