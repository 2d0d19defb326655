import { monitorEventLoopDelay } from "node:perf_hooks";
import { CallFault } from "../grpc/status.ts";
import type { LoadSink } from "../load/load-reports.ts";
import { giveBackStartUpMemory } from "../process/start-up-memory.ts";
import { NodeStatus } from "../proxy-status/node-status.ts";
import { SnapshotCache } from "../publishing/snapshot-cache.ts";
import type { AnswerClientStatus } from "../services/client-status/client-status.ts";
import { type RunningXdsServer, startXdsServer } from "../services/xds-server.ts";
import { createLog } from "../telemetry/log.ts";
import { ActivityReporter } from "./activity-reporter.ts";
import type { Publication } from "./publication.ts";
import { Replica } from "./replica.ts";
import type { ServerService, WorkerOptions, WorkerService } from "./services.ts";

/** The server's methods, asynchronous for the worker. */
export type RemoteServer = {
  readonly [Method in keyof ServerService]: (
    ...asked: Parameters<ServerService[Method]>
  ) => Promise<Awaited<ReturnType<ServerService[Method]>>>;
};

/**
 * The methods of a worker process, which serves discovery and holds the streams and their state. It gets publications from
 * the server, and sends activity and load reports to it. `exit` ends the process.
 */
export function worker(server: () => RemoteServer, exit: () => void): WorkerService {
  const cache = new SnapshotCache();
  const replica = new Replica();
  const delay = monitorEventLoopDelay();
  delay.enable();
  let statuses = new NodeStatus({ maxGone: 0, now: Date.now });
  let running: RunningXdsServer | undefined;
  const publish = (publication: Publication): void => cache.set(replica.apply(publication));
  return {
    async start({ number, maxGone, logLevel, ...options }: WorkerOptions, publication) {
      if (publication !== undefined) publish(publication);
      const known = new NodeStatus({ maxGone, now: Date.now });
      statuses = known;
      const reporter = new ActivityReporter(
        (report) => server().reported(report),
        (nodeId) => known.isConnected(nodeId),
      );
      known.watch((nodeId) => reporter.changed(nodeId));
      running = await startXdsServer({
        ...options,
        cache,
        statuses: known,
        loads: remoteLoads(server),
        answerClientStatus: remoteClientStatus(server),
        metrics: reporter,
        log: createLog({ level: logLevel }).child({ worker: number }),
        now: Date.now,
      });
      giveBackStartUpMemory();
    },
    publish,
    all: () => statuses.all(),
    some: (nodeIds) => statuses.some(nodeIds),
    ids: () => statuses.ids(),
    overviews: () => statuses.overviews(),
    connected: () => statuses.connected(),
    vitals() {
      const { user, system } = process.cpuUsage();
      const lag = delay.percentile(99);
      delay.reset();
      return {
        cpuSeconds: (user + system) / 1e6,
        residentBytes: process.memoryUsage.rss(),
        eventLoopLagSeconds: lag / 1e9,
      };
    },
    ping() {},
    close() {
      running?.close();
      // After the answer to this call is sent.
      setImmediate(exit);
    },
  };
}

function remoteLoads(server: () => RemoteServer): LoadSink {
  let last = 0;
  return {
    opened(nodeId) {
      last += 1;
      const source = last;
      return {
        report: (clusters) => server().loadReported(source, nodeId, clusters),
        close: () => void server().loadClosed(source),
      };
    },
  };
}

function remoteClientStatus(server: () => RemoteServer): AnswerClientStatus {
  return async (request, { peer, peerCertificate }) => {
    const { subjectaltname = "" } = peerCertificate ?? {};
    const certificate = peerCertificate === undefined ? undefined : { subjectaltname };
    const result = await server().clientStatus(request, { peer, peerCertificate: certificate });
    if ("parts" in result) return result.parts;
    throw new CallFault(result.fault.code, result.fault.message);
  };
}
