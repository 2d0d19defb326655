import cluster, { type Worker } from "node:cluster";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Logger } from "pino";
import type { StatusSource } from "../proxy-status/proxy-statuses.ts";
import type { PublishedData } from "./publication.ts";
import { PublicationSender } from "./publication-sender.ts";
import { type ServerServiceOptions, serverService } from "./server-service.ts";
import {
  type Channel,
  connect,
  type ServerService,
  type WorkerOptions,
  type WorkerService,
  type WorkerVitals,
} from "./services.ts";

export interface WorkerProcessOptions extends ServerServiceOptions {
  readonly options: WorkerOptions;
  /** The newest; undefined while nothing was published. The same object as long as it is the newest. */
  readonly published: () => PublishedData | undefined;
  readonly log: Logger;
  /** How long it may take to answer, in milliseconds. When it does not twice in a row, it is ended. */
  readonly answerTimeoutMs: number;
}

export interface WorkerProcess extends StatusSource {
  /** Rejects when it cannot serve; then it ends. */
  readonly started: Promise<void>;
  /** How it ended. Never rejects. */
  readonly ended: Promise<Ending>;
  /** Something was published. */
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
  const { options, published, log, answerTimeoutMs } = given;
  const { number } = options;
  const { service, forget } = serverService(given);
  const child = forked();
  const remote = connect<WorkerService, ServerService>(service, channelTo(child));
  const sender = new PublicationSender(published, (publication) => remote.publish(publication));
  let isGone = false;
  const kill = (): void => void child.process.kill("SIGKILL");

  const ended = new Promise<Ending>((resolve) => {
    const end = (ending: Ending): void => {
      if (isGone) return;
      isGone = true;
      remote.$close(new Error(`Worker ${number} ended (${ending.signal ?? `code ${ending.code}`})`));
      forget();
      resolve(ending);
    };
    child.once("exit", (code, signal) => end({ code, signal }));
    child.on("error", (error) => {
      log.error({ worker: number, err: error }, "a worker's process failed");
      // One that was never there has no exit to tell.
      if (child.process.pid === undefined) end({ code: null, signal: null });
    });
  });

  let hasStarted = false;
  const untold = (error: unknown): void => {
    if (isGone) return;
    log.error({ worker: number, err: error }, "a worker cannot take a publication and is ended");
    kill();
  };
  const publish = (): void => {
    if (hasStarted) sender.send().catch(untold);
  };
  const start = async (): Promise<void> => {
    try {
      await inTime(remote.start(options, sender.next()), startTimeoutMs);
    } catch (error) {
      kill();
      throw error;
    }
    hasStarted = true;
    publish();
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
  const started = start();
  started.then(watch, () => {});

  /** Asks for status, which is then that of the newest publication. */
  const ask = async <T>(question: () => Promise<T>, nothing: T): Promise<T> => {
    sender.sendNow().catch(untold);
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
    overviews: () => ask(() => remote.overviews(), []),
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
