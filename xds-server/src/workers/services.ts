import { type BirpcOptions, type BirpcReturn, createBirpc } from "birpc";
import type { Status } from "../grpc/status.ts";
import type { ClusterReport } from "../load/load-report.ts";
import type { Node } from "../model/node.ts";
import type { Variant } from "../protocol/type-stream.ts";
import type { ProxyStatus } from "../proxy-status/proxy-status.ts";
import type { ProxyOverview } from "../proxy-status/proxy-statuses.ts";
import type { Caller } from "../services/client-status/client-status-readers.ts";
import type { Limits } from "../services/limits.ts";
import type { HostPort, XdsTls } from "../services/xds-server.ts";
import type { Publication } from "./publication.ts";

export interface WorkerOptions {
  /** From 1. The replacement of a worker has the same number. */
  readonly number: number;
  /** The start of this process's range of stream numbers. */
  readonly firstStream: number;
  readonly listen: HostPort;
  readonly tls?: XdsTls;
  readonly limits: Limits;
  /** The maximum number of disconnected proxies that are remembered. */
  readonly maxGone: number;
  readonly identifier: string;
  readonly logLevel: string;
}

/** The methods of a worker that the server calls. Arguments and results are cloned. */
export interface WorkerService {
  /** Starts to serve the newest publication. Undefined: nothing is published yet. Rejects when the worker cannot listen. */
  start(options: WorkerOptions, publication: Publication | undefined): Promise<void>;
  publish(publication: Publication): void;
  all(): readonly ProxyStatus[];
  some(nodeIds: readonly string[]): ReadonlyMap<string, ProxyStatus>;
  ids(): readonly string[];
  overviews(): readonly ProxyOverview[];
  connected(): readonly Node[];
  vitals(): WorkerVitals;
  /** Does nothing. The answer shows that the worker's event loop runs. */
  ping(): void;
  /** Ends all calls and the process. */
  close(): void;
}

export interface WorkerVitals {
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  /** The 99th percentile of the event loop's delay since the last reading. */
  readonly eventLoopLagSeconds: number;
}

/** The methods of the server that a worker calls. */
export interface ServerService {
  reported(report: ActivityReport): void;
  /** `source` is the number of a stream of load reports. A new number opens a new source. */
  loadReported(source: number, nodeId: string, clusters: readonly ClusterReport[]): Promise<void> | undefined;
  loadClosed(source: number): void;
  clientStatus(request: Uint8Array, caller: Caller): Promise<ClientStatusResult>;
}

/** The activity of a worker since its last report. */
export interface ActivityReport {
  /** The proxies whose status changed, and whether each is connected. */
  readonly changed: ReadonlyMap<string, boolean>;
  /** The number of responses sent, by the type's short name. */
  readonly pushed: ReadonlyMap<string, number>;
  /** The number of NACKs received, by the type's short name. */
  readonly nacked: ReadonlyMap<string, number>;
  /** The number of open streams. */
  readonly streams: ReadonlyMap<Variant, number>;
}

export type ClientStatusResult = { readonly parts: readonly Uint8Array[] } | { readonly fault: Status };

/** One end of the channel between the server and a worker. */
export interface Channel {
  /**
   * Sends a message. A message that cannot be sent is lost. The other process has then ended, which other code notices.
   */
  send(message: unknown): void;
  onMessage(listener: (message: unknown) => void): void;
}

/**
 * Calls the other process's methods and lets it call ours, until closed. Closing rejects all unanswered calls. A single call
 * has no time limit: pings find a process that hangs, which is then killed.
 */
export function connect<Remote extends object, Own extends object>(
  own: Own,
  channel: Channel,
): BirpcReturn<Remote, Own> {
  const options: BirpcOptions<Remote, Own> = {
    post: (message) => channel.send(message),
    on: (listener) => channel.onMessage(listener),
    timeout: -1,
    bind: "functions",
    // Ignore a failure to send an answer: the process that waited for it has ended. A failure to send a call rejects that call.
    onGeneralError: (_error, answered) => answered !== undefined,
  };
  return createBirpc<Remote, Own>(own, options);
}
