import type { HostPort, XdsTls } from "../services/xds-server.ts";
import type { Store } from "../store/store.ts";
import type { Limits } from "./limits.ts";

/** Everything that decides how the server runs, parsed. */
export interface AppConfig {
  readonly xdsListen: HostPort;
  readonly adminListen: HostPort;
  /** Where the store and the filters are kept; made when it does not exist. */
  readonly dataDir: string;
  /** Keeps the mesh, instead of the store in `dataDir`. Its owner closes it, after the server. */
  readonly store?: Store;
  /** Files and folders of documents, watched. May be empty. */
  readonly config: readonly string[];
  /** The admin API's bearer token. Needed when `adminListen` is not loopback. */
  readonly adminToken?: string;
  /** Mutual TLS towards the proxies; absent: plaintext. */
  readonly xdsTls?: XdsTls;
  /** trace, debug, info, warn, error, fatal or silent. */
  readonly logLevel: string;
  /** How many processes serve discovery; absent or 0: the server's own. */
  readonly workers?: number;
  /** Bounds other than the usual ones. */
  readonly limits?: Partial<Limits>;
}

/** "127.0.0.1:18000" or "[::1]:18000", parsed. Undefined when it is neither. */
export function parseHostPort(text: string): HostPort | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  return host === undefined || !(port <= 65_535) ? undefined : { host, port };
}

export function formatHostPort({ host, port }: HostPort): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
