import type { HostPort, XdsTls } from "../services/xds-server.ts";
import type { Store } from "../store/store.ts";
import type { Limits } from "./limits.ts";

/** The server's options, parsed. */
export interface AppConfig {
  readonly xdsListen: HostPort;
  readonly adminListen: HostPort;
  /** The folder of the store and the filter modules. Created when it does not exist. */
  readonly dataDir: string;
  /** A store to use instead of the one in `dataDir`. Its owner closes it after the server. */
  readonly store?: Store;
  /** Files and folders of documents, which the server watches. May be empty. */
  readonly config: readonly string[];
  /** The admin API's bearer token. Required when `adminListen` is not loopback. Absent: requests need no token. */
  readonly adminToken?: string;
  /** Mutual TLS with the proxies. Absent: plaintext. */
  readonly xdsTls?: XdsTls;
  /** trace, debug, info, warn, error, fatal or silent. */
  readonly logLevel: string;
  /** The number of worker processes that serve discovery. Absent or 0: the server's own process serves it. */
  readonly workers?: number;
  /** The limits that differ from `defaultLimits`. */
  readonly limits?: Partial<Limits>;
}

/** Parses "127.0.0.1:18000" or "[::1]:18000". Undefined when the text is not a host and a port. */
export function parseHostPort(text: string): HostPort | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  return host === undefined || !(port <= 65_535) ? undefined : { host, port };
}

export function formatHostPort({ host, port }: HostPort): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
