import { readFileSync } from "node:fs";
import { type DiscoveryDeps, discovery } from "./discovery-stream.ts";
import { type HostPort, type RunningGrpcServer, startGrpcServer, type TlsMaterial } from "./grpc-server.ts";
import { discoveryMethods } from "./services.ts";

export type { HostPort } from "./grpc-server.ts";

/** Mutual TLS: the server's certificate, and the authority that every proxy's certificate must come from. PEM files. */
export interface XdsTls {
  readonly certFile: string;
  readonly keyFile: string;
  readonly caFile: string;
}

export interface XdsServerOptions extends DiscoveryDeps {
  readonly listen: HostPort;
  /** Absent: plaintext. */
  readonly tls?: XdsTls;
}

/**
 * Serves the aggregated discovery service and each type's own, both variants, on one port: an Envoy has one connection
 * for all. Rejects when the port cannot be bound.
 */
export async function startXdsServer({ listen, tls, ...deps }: XdsServerOptions): Promise<RunningGrpcServer> {
  const { limits, log } = deps;
  const streams = discovery(deps);
  const methods = new Map(
    discoveryMethods().map(({ service, method, variant, onlyType }) => [
      `/${service}/${method}`,
      streams.method({ variant, onlyType }),
    ]),
  );
  const secured = tls === undefined ? {} : { tls: readTls(tls) };
  const { address, close } = await startGrpcServer({ listen, limits, methods, log, ...secured });
  return {
    address,
    close() {
      close();
      streams.close();
    },
  };
}

function readTls({ certFile, keyFile, caFile }: XdsTls): TlsMaterial {
  return { cert: pem(certFile), key: pem(keyFile), ca: pem(caFile) };
}

function pem(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new Error(`Cannot serve discovery over TLS: "${file}" cannot be read`, { cause: error });
  }
}
