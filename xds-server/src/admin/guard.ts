import { createHash, timingSafeEqual } from "node:crypto";
import { isIP } from "node:net";
import type { FastifyRequest } from "fastify";
import { problemOf } from "../model/problem.ts";
import { RequestError, requestError, shortened } from "./problem-json.ts";

/** What a request must show before it is looked at. */
export interface Guard {
  /** The rejection of a request that may not pass, or undefined. */
  reject(request: FastifyRequest): RequestError | undefined;
}

export interface GuardOptions {
  /** The address that the API listens on, as configured. */
  readonly host: string;
  readonly token: string | undefined;
  /** URLs that answer without a token: health checks. */
  readonly open: ReadonlySet<string>;
}

/**
 * With a token: a request needs it. Without one the API is on loopback, where any web page that the operator opens
 * can send requests too, so Host must be a loopback name (DNS rebinding). Origin must be our own in both cases.
 */
export function guard({ host, token, open }: GuardOptions): Guard {
  const tokenDigest = token === undefined ? undefined : digest(token);
  return {
    reject(request) {
      const { host: hostHeader = "", origin, authorization = "" } = request.headers;
      if (origin !== undefined && !sameHost(origin, hostHeader)) {
        return requestError(403, "ORIGIN_FORBIDDEN", "Cannot answer a web page of another origin", {
          path: "headers.origin",
          found: shortened(origin),
          hint: "open the page from the admin API's own address, or send the request without Origin",
        });
      }
      if (open.has(request.routeOptions.url ?? "")) return undefined;
      if (tokenDigest === undefined) return rejectHost(hostHeader, host);
      const given = /^Bearer +(\S+)$/i.exec(authorization)?.[1];
      if (given !== undefined && timingSafeEqual(digest(given), tokenDigest)) return undefined;
      const message =
        given === undefined ? "the request carries no bearer token" : "the bearer token is not the right one";
      const hint = "send `Authorization: Bearer TOKEN`; the command line reads CHANCERY_TOKEN or --token-file";
      const fault = { code: "UNAUTHENTICATED", message, path: "headers.authorization", hint } as const;
      return new RequestError(401, [problemOf(fault, { action: "Cannot answer" })], { "www-authenticate": "Bearer" });
    },
  };
}

/** True for addresses and names that only processes of this machine reach. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, "$1").toLowerCase();
  if (bare === "localhost" || bare.endsWith(".localhost") || bare === "::1") return true;
  return isIP(bare) === 4 && bare.startsWith("127.");
}

function rejectHost(hostHeader: string, listenHost: string): RequestError | undefined {
  const name = hostHeader.replace(/:\d{1,5}$/, "");
  if (isLoopback(name) || name.toLowerCase() === listenHost.toLowerCase()) return undefined;
  return requestError(
    403,
    "HOST_FORBIDDEN",
    "Cannot answer under this host name: without a token only loopback names are served",
    {
      path: "headers.host",
      found: shortened(hostHeader),
      hint: "use 127.0.0.1 or localhost, or start the server with a token",
    },
  );
}

function sameHost(origin: string, hostHeader: string): boolean {
  return URL.canParse(origin) && new URL(origin).host === hostHeader.toLowerCase();
}

/** Equal lengths for timingSafeEqual, whatever was sent. */
function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
