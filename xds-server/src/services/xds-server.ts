import { type GrpcServerOptions, type HostPort, type RunningGrpcServer, startGrpcServer } from "../grpc/grpc-server.ts";
import { readTls, type TlsFiles, watchTls } from "../grpc/tls-files.ts";
import { Turns } from "../process/turns.ts";
import { type AnswerClientStatus, clientStatusMethods } from "./client-status/client-status.ts";
import type { ReaderOptions } from "./client-status/client-status-readers.ts";
import { discovery } from "./discovery/discovery.ts";
import { discoveryMethods } from "./discovery/discovery-methods.ts";
import type { DiscoveryDeps } from "./discovery/stream-deps.ts";
import { type LoadReportingDeps, loadReporting, loadReportingPath } from "./load-reporting/load-reporting.ts";

export type { HostPort } from "../grpc/grpc-server.ts";

/** Mutual TLS, and what a client's certificate entitles it to. */
export interface XdsTls extends TlsFiles, ReaderOptions {}

type Deps = DiscoveryDeps & LoadReportingDeps;

export interface XdsServerOptions extends Omit<Deps, "nodeIdentity"> {
  readonly listen: HostPort;
  /** Absent: plaintext. */
  readonly tls?: XdsTls;
  readonly answerClientStatus: AnswerClientStatus;
}

/** Whose status a client may read, by how discovery is served. */
export function readerOptions(tls: XdsTls | undefined): ReaderOptions {
  return tls ?? { nodeIdentity: "none", clientStatusReaders: [] };
}

export type RunningXdsServer = Pick<RunningGrpcServer, "address" | "close">;

/**
 * Serves the aggregated discovery service and each type's own, both variants, load reporting and client status, on one
 * port: an Envoy has one connection for all. Rejects when the port cannot be bound.
 */
export async function startXdsServer({
  listen,
  tls,
  answerClientStatus: answer,
  ...rest
}: XdsServerOptions): Promise<RunningXdsServer> {
  const { limits, log } = rest;
  const readers = readerOptions(tls);
  const deps: Deps = { ...rest, nodeIdentity: readers.nodeIdentity };
  const turns = new Turns();
  const streams = discovery(deps, turns);
  const methods = new Map([
    ...discoveryMethods().map(
      ({ service, method, variant, onlyType }) =>
        [`/${service}/${method}`, streams.method({ variant, onlyType })] as const,
    ),
    ...clientStatusMethods({ readers, answer }),
    [loadReportingPath, loadReporting(deps)] as const,
  ]);
  const { address, close } = await start({ listen, limits, methods, turns, log }, tls);
  return {
    address,
    close() {
      close();
      streams.close();
    },
  };
}

async function start(options: GrpcServerOptions, files: TlsFiles | undefined): Promise<RunningXdsServer> {
  if (files === undefined) return startGrpcServer(options);
  const { limits, log } = options;
  const tls = await readTls(files);
  const { address, close, renewTls } = await startGrpcServer({ ...options, tls });
  const unwatch = watchTls(files, tls, { everyMs: limits.tlsReloadMs, log, renewed: renewTls });
  return {
    address,
    close() {
      unwatch();
      close();
    },
  };
}
