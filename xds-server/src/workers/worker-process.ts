import cluster, { type Worker } from "node:cluster";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Logger } from "pino";
import type { LoadSink, LoadSource } from "../cache/load-reports.ts";
import type { StatusSource } from "../cache/proxy-statuses.ts";
import type { AnswerClientStatus } from "../grpc/client-status.ts";
import { CallFault } from "../grpc/status.ts";
import type { Variant } from "../protocol/type-stream.ts";
import { Ledger, type PublishedData } from "./publication.ts";
import {
  type Channel,
  type ClientStatusResult,
  connect,
  type News,
  type ServerService,
  type WorkerOptions,
  type WorkerService,
  type WorkerVitals,
} from "./services.ts";

/** Where what workers count and hear goes. */
export interface WorkerMetrics {
  pushed(shortName: string, count: number): void;
  refused(shortName: string, count: number): void;
  streams(variant: Variant, change: number): void;
}

export interface WorkerProcessOptions {
  readonly options: WorkerOptions;
  /** The newest; undefined while nothing was published. The same object as long as it is the newest. */
  readonly published: () => PublishedData | undefined;
  readonly loads: LoadSink;
  readonly metrics: WorkerMetrics;
  readonly answerClientStatus: AnswerClientStatus;
  /** The status of a proxy changed. */
  readonly changed: (nodeId: string) => void;
  readonly log: Logger;
  /** How long it may take to answer, in milliseconds. When it does not twice in a row, it is ended. */
  readonly answerTimeoutMs: number;
}

export interface WorkerProcess extends StatusSource {
  /** Rejects when it cannot serve; then it ends. */
  readonly started: Promise<void>;
  /** How it ended. Never rejects. */
  readonly ended: Promise<Ending>;
  /** Something was published. A worker that is still busy with the last publication is told the newest when it is done. */
  publish(): void;
  /** Undefined when it is gone. */
  vitals(): Promise<WorkerVitals | undefined>;
  /** Ends its calls and itself; what does not end in time is killed. */
  close(): Promise<void>;
}

export interface Ending {
  readonly code: number | null;
  readonly signal: string | null;
}

/** How long a worker may take to start, which includes taking over the whole mesh, in milliseconds. */
const startTimeoutMs = 60_000;
/** How long a worker may take to end, in milliseconds. */
const endTimeoutMs = 5_000;

/** Starts one worker, which takes its share of the connections to the port that all workers listen on. */
export function startWorkerProcess(given: WorkerProcessOptions): WorkerProcess {
  const { options, published, metrics, log, answerTimeoutMs } = given;
  const { number } = options;
  const process = forked();
  const loads = new Map<number, LoadSource>();
  const connected = new Set<string>();
  let streams: News["streams"] = new Map();
  let isGone = false;

  const own: ServerService = {
    heard({ changed, pushed, refused, streams: now }) {
      for (const [type, count] of pushed) metrics.pushed(type, count);
      for (const [type, count] of refused) metrics.refused(type, count);
      for (const [variant, open] of now) metrics.streams(variant, open - (streams.get(variant) ?? 0));
      streams = now;
      for (const [nodeId, isConnected] of changed) {
        if (isConnected) connected.add(nodeId);
        else connected.delete(nodeId);
        given.changed(nodeId);
      }
    },
    loadReported(source, nodeId, clusters) {
      const known = loads.get(source) ?? given.loads.opened(nodeId);
      loads.set(source, known);
      return known.report(clusters);
    },
    loadClosed(source) {
      loads.get(source)?.close();
      loads.delete(source);
    },
    clientStatus: (request, caller) => clientStatus(given.answerClientStatus(Buffer.from(request), caller)),
  };
  const remote = connect<WorkerService, ServerService>(own, channelTo(process));

  const ended = new Promise<Ending>((resolve) => {
    const end = (ending: Ending): void => {
      if (isGone) return;
      isGone = true;
      remote.$close(new Error(`Worker ${number} ended (${ending.signal ?? `code ${ending.code}`})`));
      for (const load of loads.values()) load.close();
      for (const [variant, open] of streams) metrics.streams(variant, -open);
      for (const nodeId of connected) given.changed(nodeId);
      resolve(ending);
    };
    process.once("exit", (code, signal) => end({ code, signal }));
    process.on("error", (error) => {
      log.error({ worker: number, err: error }, "a worker's process failed");
      // One that was never there has no exit to tell.
      if (process.process.pid === undefined) end({ code: null, signal: null });
    });
  });

  const ledger = new Ledger();
  let told: PublishedData | undefined;
  const news = () => {
    told = published();
    return told && ledger.next(told);
  };
  const tellNewest = async (): Promise<void> => {
    const publication = news();
    if (publication !== undefined) await remote.publish(publication);
  };
  let isTelling = true;
  const tell = async (): Promise<void> => {
    isTelling = true;
    while (!isGone && told !== published()) await tellNewest();
    isTelling = false;
  };
  const publish = (): void => {
    if (!isTelling) tell().catch(untold);
  };
  const untold = (error: unknown): void => {
    if (!isGone) log.error({ worker: number, err: error }, "a worker cannot take a publication and is ended");
    kill();
  };
  const kill = (): void => void process.process.kill("SIGKILL");
  const begin = async (): Promise<void> => {
    try {
      await inTime(remote.start(options, news()), startTimeoutMs);
    } catch (error) {
      kill();
      throw error;
    }
    tell().catch(untold);
  };
  const watch = async (): Promise<void> => {
    // Twice, because after a pause of the whole machine the time is up before the answer is read.
    for (let missed = 0; missed < 2; ) {
      await Promise.race([pause(answerTimeoutMs, undefined, { ref: false }), ended]);
      if (isGone) return;
      missed = await inTime(remote.ping(), answerTimeoutMs).then(
        () => 0,
        () => missed + 1,
      );
    }
    if (isGone) return;
    log.error({ worker: number }, "a worker does not answer and is ended");
    kill();
  };
  const started = begin();
  started.then(watch, () => {});

  /** Asks for status, which is then that of the newest publication: it is told first, also while the last is not taken yet. */
  const ask = async <T>(question: () => Promise<T>, nothing: T): Promise<T> => {
    if (told !== published()) tellNewest().catch(untold);
    try {
      return await question();
    } catch (error) {
      if (isGone) return nothing;
      throw error;
    }
  };
  return {
    started,
    ended,
    publish,
    all: () => ask(() => remote.all(), []),
    some: (nodeIds) => ask(() => remote.some(nodeIds), new Map()),
    ids: () => ask(() => remote.ids(), []),
    glances: () => ask(() => remote.glances(), []),
    connected: () => ask(() => remote.connected(), []),
    vitals: () => ask<WorkerVitals | undefined>(() => remote.vitals(), undefined),
    async close() {
      const killing = setTimeout(kill, endTimeoutMs);
      remote.close().catch(() => {});
      await ended;
      clearTimeout(killing);
    },
  };
}

/** What is promised, or a rejection when that takes too long. */
async function inTime(promised: Promise<void>, limitMs: number): Promise<void> {
  const stopped = new AbortController();
  const late = pause(limitMs, undefined, { signal: stopped.signal, ref: false }).then(() => {
    throw new Error(`It took over ${limitMs} ms`);
  });
  late.catch(() => {});
  try {
    await Promise.race([promised, late]);
  } finally {
    stopped.abort();
  }
}

function forked(): Worker {
  // One worker after the other is given a connection, so that long-lived ones are shared out evenly.
  cluster.schedulingPolicy = cluster.SCHED_RR;
  cluster.setupPrimary({
    exec: fileURLToPath(new URL("./worker-main.js", import.meta.url)),
    args: [],
    // As the server itself does (serve.ts).
    execArgv: [...process.execArgv, "--semi-space-growth-factor=1"],
    serialization: "advanced",
  });
  return cluster.fork();
}

function channelTo(worker: Worker): Channel {
  return {
    // Not waited for: while a worker has yet to take a connection that it was handed, Node keeps what comes after that.
    send: (message) => void worker.process.send(message as object, undefined, undefined, () => {}),
    onMessage: (listener) => void worker.on("message", listener),
  };
}

async function clientStatus(answer: Promise<readonly Uint8Array[]>): Promise<ClientStatusResult> {
  try {
    return { parts: await answer };
  } catch (error) {
    if (!(error instanceof CallFault)) throw error;
    return { fault: { code: error.code, message: error.message } };
  }
}
