import type { LogLevel } from "./abi.ts";
import type { PropertyValue } from "./properties.ts";
import type { Protocol, Upstream } from "./request.ts";

/** The file of a module, or its bytes. */
export type ModuleSource = string | URL | Uint8Array;

export interface FilterOptions {
  /** The filter's configuration: strings and bytes are passed as they are, anything else as JSON. Default: empty. */
  readonly config?: unknown;
  /**
   * The filter's name in the listener. Default: the module's file name. It is also the default of `rootId` and `vmId`.
   */
  readonly name?: string;
  readonly rootId?: string;
  readonly vmId?: string;
  readonly vmConfig?: unknown;
  /** Environment variables of the VM. */
  readonly environment?: Readonly<Record<string, string>>;
  /** The number of workers, each with its own VM. Requests go to them in turn. Default: 1. */
  readonly workers?: number;
  /** Lower levels are not logged. `proxy_get_log_level` returns it. Default: "info". */
  readonly logLevel?: LogLevel;
  /** The clock's time at the start; only `advance` changes it. Default: 2025-01-01T00:00:00Z. */
  readonly now?: Date;
  /** The protocol between client and proxy. Default: "HTTP/1.1". */
  readonly protocol?: Protocol;
  /** The protocol between proxy and upstream. Default: "HTTP/1.1". */
  readonly upstreamProtocol?: Protocol;
  /** The maximum number of bytes of a body that the proxy buffers. Default: 1 MiB, as in Envoy. */
  readonly bufferLimit?: number;
  /**
   * After a trap, answer 503 ("closed", the default), pass requests unfiltered ("open") or create a new VM ("reload").
   */
  readonly failurePolicy?: "closed" | "open" | "reload";
  /** The minimum time between two new VMs under "reload". Default: 1,000. */
  readonly reloadBackoffMs?: number;
  readonly allowOnHeadersStopIteration?: boolean;
  /** The host calls and callbacks that the filter may use. Default: all. */
  readonly capabilities?: readonly string[];
  /** The clusters that calls may go to. Default: any. */
  readonly clusters?: readonly string[];
  /** Properties by path. They override those of the host: `{ "xds.route_name": "cart", "connection.mtls": true }`. */
  readonly properties?: Readonly<Record<string, PropertyValue>>;
  /** Answers the requests that pass the filter. Default: 200 without a body. */
  readonly upstream?: Upstream;
  /** Called with the name of each callback, before the module is called. */
  readonly onCallback?: (name: string) => void;
  /** True when `close` throws if there are faults. Default: true. */
  readonly strict?: boolean;
}
