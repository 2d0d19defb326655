import { createHash, timingSafeEqual } from "node:crypto";
import { isIP } from "node:net";
import type { FastifyRequest } from "fastify";
import { problemOf } from "../model/problem.ts";
import { RequestError, requestError, shortened } from "./problem-json.ts";

/** The checks that a request must pass before it is handled. */
export interface Guard {
  /** The rejection of a request, or undefined when it passes. */
  reject(request: FastifyRequest): RequestError | undefined;
}

export interface GuardOptions {
  /** The configured address that the API listens on. */
  readonly host: string;
  readonly token: string | undefined;
  /** The URLs that need no token: health checks. */
  readonly open: ReadonlySet<string>;
}

/**
 * If the server has a token, a request must carry it. Without a token the API listens on loopback only. A web page in the
 * operator's browser can reach loopback through DNS rebinding, so Host must be a loopback name. In both cases Origin, if
 * given, must be the API's own.
 */
export function guard({ host, token, open }: GuardOptions): Guard {
  const tokenDigest = token === undefined ? undefined : digest(token);
  return {
    reject(request) {
      const { host: hostHeader = "", origin, authorization = "" } = request.headers;
      if (origin !== undefined && !sameHost(origin, hostHeader)) {
        return requestError(403, "ORIGIN_FORBIDDEN", "Cannot answer a web page from another origin", {
          path: "headers.origin",
          found: shortened(origin),
          hint: "open the page from the admin API's own address, or send the request without Origin",
        });
      }
      if (open.has(request.routeOptions.url ?? "")) return undefined;
      if (tokenDigest === undefined) return rejectHost(hostHeader, host);
      const given = /^Bearer +(\S+)$/i.exec(authorization)?.[1];
      if (given !== undefined && timingSafeEqual(digest(given), tokenDigest)) return undefined;
      const message = given === undefined ? "the request carries no bearer token" : "the bearer token is wrong";
      const hint = "send `Authorization: Bearer TOKEN`; the command line reads CHANCERY_TOKEN or --token-file";
      const fault = { code: "UNAUTHENTICATED", message, path: "headers.authorization", hint } as const;
      return new RequestError(401, [problemOf(fault, { action: "Cannot answer" })], { "www-authenticate": "Bearer" });
    },
  };
}

/** True for addresses and names that only processes on this machine can reach. */
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
    "Cannot answer a request for this host name: a server without a token answers only loopback names",
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

/** timingSafeEqual needs values of equal length; digests have that. */
function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
