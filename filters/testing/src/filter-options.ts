import type { LogLevel } from "./abi.ts";
import type { PropertyValue } from "./properties.ts";
import type { Protocol, Upstream } from "./request.ts";

/** A module's file, or the module itself. */
export type ModuleSource = string | URL | Uint8Array;

export interface FilterOptions {
  /** The filter's configuration: text and bytes as they are, anything else as JSON. Empty unless given. */
  readonly config?: unknown;
  /** As in the listener: the module's file name unless given. Also the `root_id` and `vm_id` unless those are given. */
  readonly name?: string;
  readonly rootId?: string;
  readonly vmId?: string;
  readonly vmConfig?: unknown;
  /** Environment variables of the VM. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Worker threads, each with a VM of its own; requests go to them in turn. 1 unless given. */
  readonly workers?: number;
  /** What is logged below it is dropped, and `proxy_get_log_level` answers it. "info" unless given. */
  readonly logLevel?: LogLevel;
  /** What the clock says at first; it moves by `advance` only. 2025-01-01T00:00:00Z unless given. */
  readonly now?: Date;
  /** Between client and proxy, and between proxy and upstream. "HTTP/1.1" unless given. */
  readonly protocol?: Protocol;
  readonly upstreamProtocol?: Protocol;
  /** The most that is held of a body, in bytes; 1 MiB unless given, as in Envoy. */
  readonly bufferLimit?: number;
  /** After a trap: answer 503 ("closed", unless given), pass unfiltered ("open"), or make a new VM ("reload"). */
  readonly failurePolicy?: "closed" | "open" | "reload";
  /** How long after a start a VM that trapped is made anew; 1,000 unless given. */
  readonly reloadBackoffMs?: number;
  readonly allowOnHeadersStopIteration?: boolean;
  /** The host calls and callbacks that the filter may use; all unless given. */
  readonly capabilities?: readonly string[];
  /** Clusters that calls may go to; any unless given. */
  readonly clusters?: readonly string[];
  /** By path, over what the host knows: `{ "xds.route_name": "cart", "connection.mtls": true }`. */
  readonly properties?: Readonly<Record<string, PropertyValue>>;
  /** What answers behind the filter: 200 without a body unless given. */
  readonly upstream?: Upstream;
  /** Is told of each callback before the module is called. */
  readonly onCallback?: (name: string) => void;
  /** `close` throws when the filter did what no filter should. True unless given. */
  readonly strict?: boolean;
}
