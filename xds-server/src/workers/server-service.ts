import { CallFault } from "../grpc/status.ts";
import type { LoadSink, LoadSource } from "../load/load-reports.ts";
import type { Variant } from "../protocol/type-stream.ts";
import type { AnswerClientStatus } from "../services/client-status/client-status.ts";
import type { ActivityReport, ClientStatusResult, ServerService } from "./services.ts";

/** The receivers of a worker's counts and reports. */
export interface ServerServiceOptions {
  readonly metrics: WorkerMetrics;
  readonly loads: LoadSink;
  readonly answerClientStatus: AnswerClientStatus;
  /** The status of a proxy changed. */
  readonly changed: (nodeId: string) => void;
}

export interface WorkerMetrics {
  pushed(shortName: string, count: number): void;
  nacked(shortName: string, count: number): void;
  streams(variant: Variant, change: number): void;
}

export interface WorkerSide {
  readonly service: ServerService;
  /** Removes the streams, load reports and connected proxies of a worker that has ended. */
  forget(): void;
}

/** The server's side of the connection to one worker. */
export function serverService({ metrics, loads, answerClientStatus, changed }: ServerServiceOptions): WorkerSide {
  const sources = new Map<number, LoadSource>();
  const connected = new Set<string>();
  let streams: ActivityReport["streams"] = new Map();
  return {
    service: {
      reported(report) {
        for (const [type, count] of report.pushed) metrics.pushed(type, count);
        for (const [type, count] of report.nacked) metrics.nacked(type, count);
        for (const [variant, open] of report.streams) metrics.streams(variant, open - (streams.get(variant) ?? 0));
        streams = report.streams;
        for (const [nodeId, isConnected] of report.changed) {
          if (isConnected) connected.add(nodeId);
          else connected.delete(nodeId);
          changed(nodeId);
        }
      },
      loadReported(source, nodeId, clusters) {
        const known = sources.get(source) ?? loads.opened(nodeId);
        sources.set(source, known);
        return known.report(clusters);
      },
      loadClosed(source) {
        sources.get(source)?.close();
        sources.delete(source);
      },
      clientStatus: (request, caller) => asValue(answerClientStatus(Buffer.from(request), caller)),
    },
    forget() {
      for (const source of sources.values()) source.close();
      for (const [variant, open] of streams) metrics.streams(variant, -open);
      for (const nodeId of connected) changed(nodeId);
    },
  };
}

/** Converts a `CallFault` to a value, because an error loses its code on the way to another process. */
async function asValue(answer: Promise<readonly Uint8Array[]>): Promise<ClientStatusResult> {
  try {
    return { parts: await answer };
  } catch (error) {
    if (!(error instanceof CallFault)) throw error;
    return { fault: { code: error.code, message: error.message } };
  }
}
