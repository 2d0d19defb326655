import { type BirpcOptions, type BirpcReturn, createBirpc } from "birpc";
import type { Status } from "../grpc/status.ts";
import type { ClusterReport } from "../load/load-report.ts";
import type { Variant } from "../protocol/type-stream.ts";
import type { ProxyStatus } from "../proxy-status/proxy-status.ts";
import type { ProxyOverview } from "../proxy-status/proxy-statuses.ts";
import type { Node } from "../publishing/snapshot-cache.ts";
import type { Caller } from "../services/client-status/client-status-readers.ts";
import type { Limits } from "../services/limits.ts";
import type { HostPort, XdsTls } from "../services/xds-server.ts";
import type { Publication } from "./publication.ts";

export interface WorkerOptions {
  /** From 1; a worker that takes another's place has its number. */
  readonly number: number;
  /** The numbers of its streams come after this one. */
  readonly firstStream: number;
  readonly listen: HostPort;
  readonly tls?: XdsTls;
  readonly limits: Limits;
  /** Proxies remembered after they have gone. */
  readonly maxGone: number;
  readonly identifier: string;
  readonly logLevel: string;
}

/** What a worker does for the server. All that goes between the two is cloned. */
export interface WorkerService {
  /** Serves discovery: what was published last, nothing yet when that is absent. Rejects when it cannot listen. */
  start(options: WorkerOptions, publication: Publication | undefined): Promise<void>;
  publish(publication: Publication): void;
  all(): readonly ProxyStatus[];
  some(nodeIds: readonly string[]): ReadonlyMap<string, ProxyStatus>;
  ids(): readonly string[];
  overviews(): readonly ProxyOverview[];
  connected(): readonly Node[];
  vitals(): WorkerVitals;
  /** Answers at once, as long as the worker's event loop runs. */
  ping(): void;
  /** Ends all calls, and the process. */
  close(): void;
}

export interface WorkerVitals {
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  /** The 99th percentile of how late the event loop was since this was asked last. */
  readonly eventLoopLagSeconds: number;
}

/** What the server does for a worker. */
export interface ServerService {
  reported(report: ActivityReport): void;
  /** `source` is one stream of load reports; it begins with its first one. */
  loadReported(source: number, nodeId: string, clusters: readonly ClusterReport[]): Promise<void> | undefined;
  loadClosed(source: number): void;
  clientStatus(request: Uint8Array, caller: Caller): Promise<ClientStatusResult>;
}

/** What happened on a worker since it told last. */
export interface ActivityReport {
  /** The proxies whose status changed, and whether each is connected. */
  readonly changed: ReadonlyMap<string, boolean>;
  /** By the type's short name. */
  readonly pushed: ReadonlyMap<string, number>;
  readonly nacked: ReadonlyMap<string, number>;
  /** Streams open now. */
  readonly streams: ReadonlyMap<Variant, number>;
}

export type ClientStatusResult = { readonly parts: readonly Uint8Array[] } | { readonly fault: Status };

/** The side of a channel between the server and a worker. */
export interface Channel {
  /** What cannot be sent any more is lost: then the other side is gone, which is told elsewhere. */
  send(message: unknown): void;
  onMessage(listener: (message: unknown) => void): void;
}

/**
 * Calls the other side's methods, and has it call ours, until closed: then what is unanswered rejects. There is no time
 * limit for a single answer: a side that hangs is found out and ended.
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
    // An answer to a side that is gone is for nobody. A call to it rejects.
    onGeneralError: (_error, answered) => answered !== undefined,
  };
  return createBirpc<Remote, Own>(own, options);
}
