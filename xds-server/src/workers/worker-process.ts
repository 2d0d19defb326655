import cluster, { type Worker } from "node:cluster";
import { extname } from "node:path";
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
  /** The newest publication: the same object until there is a newer one. Undefined before the first publication. */
  readonly published: () => PublishedData | undefined;
  readonly log: Logger;
  /** The maximum time to answer a ping, in milliseconds. A worker that misses two pings in a row is killed. */
  readonly answerTimeoutMs: number;
}

export interface WorkerProcess extends StatusSource {
  /** Resolves when the worker serves. Rejects when it cannot; the worker is then killed. */
  readonly started: Promise<void>;
  /** Resolves when the process has ended. Never rejects. */
  readonly ended: Promise<Ending>;
  /** Sends the newest publication to the worker. */
  publish(): void;
  /** Undefined when the worker has ended. */
  vitals(): Promise<WorkerVitals | undefined>;
  /** Ends the worker's calls and process. A process that does not end within five seconds is killed. */
  close(): Promise<void>;
}

export interface Ending {
  readonly code: number | null;
  readonly signal: string | null;
}

/** The maximum time for a worker to start, in milliseconds. Starting includes receiving all resources. */
const startTimeoutMs = 60_000;
/** The maximum time for a worker to end, in milliseconds. */
const endTimeoutMs = 5_000;

/** Starts one worker. All workers listen on the same port, and each gets a share of the connections. */
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
      // A process that could not be started has no "exit" event.
      if (child.process.pid === undefined) end({ code: null, signal: null });
    });
  });

  let hasStarted = false;
  const publicationFailed = (error: unknown): void => {
    if (isGone) return;
    log.error({ worker: number, err: error }, "a worker cannot apply a publication and is killed");
    kill();
  };
  const publish = (): void => {
    if (hasStarted) sender.send().catch(publicationFailed);
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
    // Two misses, because after a pause of the whole machine the first timer runs out before the answer is read.
    for (let missed = 0; missed < 2; ) {
      await Promise.race([pause(answerTimeoutMs, undefined, { ref: false }), ended]);
      if (isGone) return;
      missed = await inTime(remote.ping(), answerTimeoutMs).then(
        () => 0,
        () => missed + 1,
      );
    }
    if (isGone) return;
    log.error({ worker: number }, "a worker does not answer and is killed");
    kill();
  };
  const started = start();
  started.then(watch, () => {});

  /** Sends the newest publication, then asks for status, so that the status reflects it. */
  const ask = async <T>(question: () => Promise<T>, nothing: T): Promise<T> => {
    sender.sendNow().catch(publicationFailed);
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

/** Rejects when the promise takes longer than `limitMs`. */
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
  // Round robin, because the connections are long-lived and must be distributed evenly.
  cluster.schedulingPolicy = cluster.SCHED_RR;
  cluster.setupPrimary({
    exec: fileURLToPath(new URL(`./worker-main${extname(import.meta.filename)}`, import.meta.url)),
    args: [],
    // The same setting as in the server's process (serve/command.ts says why).
    execArgv: [...process.execArgv, "--semi-space-growth-factor=1"],
    serialization: "advanced",
  });
  return cluster.fork();
}

function channelTo(worker: Worker): Channel {
  return {
    // Not awaited: Node queues messages while the worker has not yet accepted a connection that was passed to it.
    send: (message) => void worker.process.send(message as object, undefined, undefined, () => {}),
    onMessage: (listener) => void worker.on("message", listener),
  };
}
