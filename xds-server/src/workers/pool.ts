import cluster from "node:cluster";
import { type AddressInfo, createServer } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import type { Logger } from "pino";
import type { LoadSink } from "../load/load-reports.ts";
import { mergedStatuses } from "../proxy-status/merged-statuses.ts";
import type { ProxyStatuses } from "../proxy-status/proxy-statuses.ts";
import type { SnapshotCache } from "../publishing/snapshot-cache.ts";
import type { AnswerClientStatus } from "../services/client-status/client-status.ts";
import type { Limits } from "../services/limits.ts";
import type { HostPort } from "../services/xds-server.ts";
import type { PublishedData } from "./publication.ts";
import type { WorkerMetrics } from "./server-service.ts";
import type { WorkerOptions, WorkerVitals } from "./services.ts";
import { startWorkerProcess, type WorkerProcess } from "./worker-process.ts";

export interface WorkersOptions extends Omit<WorkerOptions, "number" | "firstStream"> {
  /** The number of processes. Each gets an equal share of those `limits` that hold for all clients together. */
  readonly count: number;
  readonly cache: SnapshotCache;
  /** The NodeGroups of the mesh. Read during a publication, when the mesh is the published one. */
  readonly nodeGroups: () => PublishedData["nodeGroups"];
  readonly loads: LoadSink;
  readonly answerClientStatus: (proxies: ProxyStatuses) => AnswerClientStatus;
  readonly metrics: WorkerMetrics;
  readonly log: Logger;
  /** The maximum time for a worker to answer a ping, in milliseconds. */
  readonly answerTimeoutMs: number;
}

/** The size of the range of stream numbers for one process, so that no two processes use the same number. */
const streamsPerProcess = 1_000_000_000;
/** A worker that ends within this time after its start, in milliseconds, is replaced after a pause. */
const shortRunMs = 10_000;
const firstPauseMs = 100;
const longestPauseMs = 10_000;

/**
 * Serves discovery by several processes on one port. The server compiles and encodes resources, and sends the changes to
 * each worker as bytes. The connections of the proxies are distributed over the workers. A worker that ends is replaced.
 * Its proxies reconnect to another worker in the meantime.
 */
export class WorkerPool {
  readonly proxies: ProxyStatuses;
  readonly #options: WorkersOptions;
  /** The workers that serve, by number. */
  readonly #workers = new Map<number, WorkerProcess>();
  /** All workers that have not ended, including those that are still starting. */
  readonly #processes = new Set<WorkerProcess>();
  readonly #watchers = new Set<(nodeId: string) => void>();
  readonly #answerClientStatus: AnswerClientStatus;
  readonly #closing = new AbortController();
  readonly #unwatch: () => void;
  #published: PublishedData | undefined;
  #started = 0;
  #listen: HostPort;

  constructor(options: WorkersOptions) {
    if (!cluster.isPrimary) throw new Error("Cannot start workers in a process that is itself a worker of a cluster");
    this.#options = options;
    this.#listen = options.listen;
    this.proxies = {
      ...mergedStatuses(() => [...this.#workers.values()]),
      watch: (watcher) => {
        this.#watchers.add(watcher);
        return () => void this.#watchers.delete(watcher);
      },
    };
    this.#answerClientStatus = options.answerClientStatus(this.proxies);
    this.#readPublished();
    this.#unwatch = options.cache.watch(() => {
      this.#readPublished();
      for (const worker of this.#workers.values()) worker.publish();
    });
  }

  /** Starts the workers. Returns the address that they listen on. Rejects when one cannot start. Then `close` ends the others. */
  async start(): Promise<HostPort> {
    const { host, port } = this.#options.listen;
    // The server chooses the port, because even the replacement of the last running worker must listen on the same port.
    this.#listen = { host, port: port === 0 ? await freePort(host) : port };
    const numbers = Array.from({ length: this.#options.count }, (_, index) => index + 1);
    const workers = numbers.map((number) => ({ number, worker: this.#fork(number) }));
    await Promise.all(workers.map(({ worker }) => worker.started));
    for (const { number, worker } of workers) {
      this.#replaceWhenEnded(number, worker).catch((error: unknown) => {
        if (!this.#closing.signal.aborted)
          this.#options.log.error({ worker: number, err: error }, "a worker is not replaced any more");
      });
    }
    return this.#listen;
  }

  /** The number of workers that serve. */
  get running(): number {
    return this.#workers.size;
  }

  async vitals(): Promise<readonly (WorkerVitals & { readonly worker: number })[]> {
    const known = await Promise.all(
      [...this.#workers].map(async ([worker, process]) => ({ worker, vitals: await process.vitals() })),
    );
    return known.flatMap(({ worker, vitals }) => (vitals === undefined ? [] : [{ worker, ...vitals }]));
  }

  async close(): Promise<void> {
    this.#unwatch();
    this.#closing.abort();
    await Promise.all([...this.#processes].map((worker) => worker.close()));
  }

  /** Replaces a worker each time it ends, until the pool is closed. */
  async #replaceWhenEnded(number: number, first: WorkerProcess): Promise<void> {
    const { signal } = this.#closing;
    let worker = first;
    for (let pauseMs = 0; ; ) {
      const since = performance.now();
      const how = await worker.ended;
      if (signal.aborted) return;
      const ranLong = performance.now() - since >= shortRunMs;
      pauseMs = ranLong ? 0 : Math.min(Math.max(firstPauseMs, 2 * pauseMs), longestPauseMs);
      this.#options.log.error({ worker: number, ...how, pauseMs }, "a worker ended and is replaced");
      await pause(pauseMs, undefined, { signal });
      worker = this.#fork(number);
      worker.started.catch((error: unknown) =>
        this.#options.log.error({ worker: number, err: error }, "a worker cannot start"),
      );
    }
  }

  #fork(number: number): WorkerProcess {
    const { count, cache, nodeGroups, limits, maxGone, answerClientStatus, ...rest } = this.#options;
    const firstStream = this.#started * streamsPerProcess + 1;
    this.#started += 1;
    const worker = startWorkerProcess({
      ...rest,
      options: {
        number,
        firstStream,
        listen: this.#listen,
        limits: shareOf(limits, count),
        maxGone: Math.ceil(maxGone / count),
        identifier: rest.identifier,
        logLevel: rest.logLevel,
        ...(rest.tls === undefined ? {} : { tls: rest.tls }),
      },
      published: () => this.#published,
      answerClientStatus: this.#answerClientStatus,
      changed: (nodeId) => {
        for (const watcher of this.#watchers) watcher(nodeId);
      },
    });
    this.#processes.add(worker);
    worker.started.then(
      () => this.#workers.set(number, worker),
      () => {},
    );
    void worker.ended.then(() => {
      this.#processes.delete(worker);
      if (this.#workers.get(number) === worker) this.#workers.delete(number);
    });
    return worker;
  }

  #readPublished(): void {
    const snapshots = this.#options.cache.get()?.snapshots;
    if (snapshots !== undefined) this.#published = { snapshots, nodeGroups: this.#options.nodeGroups() };
  }
}

async function freePort(host: string): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port: 0, exclusive: true }, resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** One worker's share of the limits that hold for all clients together. */
function shareOf(limits: Limits, workers: number): Limits {
  const { maxPartialBytes, maxConnections, maxStreams, maxMessageBytes } = limits;
  return {
    ...limits,
    maxPartialBytes: Math.max(maxMessageBytes, Math.ceil(maxPartialBytes / workers)),
    maxConnections: Math.ceil(maxConnections / workers),
    maxStreams: Math.ceil(maxStreams / workers),
  };
}
