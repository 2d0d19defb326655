import type { Call, Method } from "../../grpc/call.ts";
import { CallFault } from "../../grpc/status.ts";
import type { LoadSink, LoadSource } from "../../load/load-reports.ts";
import type { Limits } from "../limits.ts";
import { checkIdentity, type NodeIdentity } from "../node-identity.ts";
import { type LoadRequest, loadResponse, nodeIdOf, readLoadRequest } from "./load-wire.ts";

export const loadReportingPath = "/envoy.service.load_stats.v3.LoadReportingService/StreamLoadStats";

export interface LoadReportingDeps {
  readonly loads: LoadSink;
  readonly nodeIdentity: NodeIdentity;
  readonly limits: Limits;
}

/** Requests load reports on all clusters from each proxy that opens a stream, and keeps them until the stream closes. */
export function loadReporting({ loads, nodeIdentity, limits }: LoadReportingDeps): Method {
  const response = loadResponse(limits.loadReportIntervalMs);
  return (call) => {
    let source: LoadSource | undefined;
    return {
      onMessage(bytes) {
        const request = decoded(bytes, limits);
        if (source === undefined) {
          source = loads.opened(checkedNodeId(call, request, { nodeIdentity, limits }));
          call.send(response);
          // A proxy's first request usually has only its node.
          if (request.clusters.length === 0) return;
        }
        waitFor(source.report(request.clusters), call);
      },
      onHalfClose: () => call.end(),
      onClose: () => source?.close(),
    };
  };
}

/** Reads no further report until this one is processed. */
function waitFor(processed: Promise<void> | undefined, call: Call): void {
  if (processed === undefined) return;
  call.pause();
  processed.then(
    () => call.run(() => call.resume()),
    (error: unknown) =>
      call.run(() => {
        throw error;
      }),
  );
}

function decoded(bytes: Uint8Array, { maxNameLength }: Limits): LoadRequest {
  const request = read(() => readLoadRequest(bytes));
  const isLong = (text: string) => text.length > maxNameLength;
  if (request.clusters.some(({ cluster }) => isLong(cluster)))
    throw new CallFault("INVALID_ARGUMENT", `A cluster name has over ${maxNameLength} characters`);
  return request;
}

/** The node id that the proxy sends. Throws when it is missing or too long, or when the certificate does not match it. */
function checkedNodeId(
  { peerCertificate }: Call,
  { node }: LoadRequest,
  { nodeIdentity, limits }: Pick<LoadReportingDeps, "nodeIdentity" | "limits">,
): string {
  const id = node === undefined ? "" : read(() => nodeIdOf(node));
  if (id === "") throw new CallFault("INVALID_ARGUMENT", "The first request of a stream must carry a node with an id");
  if (id.length > limits.maxNameLength)
    throw new CallFault("INVALID_ARGUMENT", `node.id has over ${limits.maxNameLength} characters`);
  if (nodeIdentity === "certificate") checkIdentity(id, peerCertificate);
  return id;
}

function read<T>(reading: () => T): T {
  try {
    return reading();
  } catch {
    throw new CallFault("INVALID_ARGUMENT", "Cannot decode the request as a load report");
  }
}
