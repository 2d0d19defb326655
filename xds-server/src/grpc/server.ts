import { readFileSync } from "node:fs";
import { Server, ServerCredentials, status } from "@grpc/grpc-js";
import { type DiscoveryCall, type DiscoveryDeps, serveStream } from "./discovery-stream.ts";
import { discoveryMethods, serviceDefinition } from "./services.ts";

export interface HostPort {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
}

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

export interface RunningXdsServer {
  /** Where it listens; the port that was taken when 0 was asked for. */
  readonly address: HostPort;
  /** Ends all streams and stops listening. */
  close(): void;
}

/** Serves the aggregated discovery service and each type's own, both variants. Rejects when the port cannot be bound. */
export async function startXdsServer(options: XdsServerOptions): Promise<RunningXdsServer> {
  const { listen, tls, limits } = options;
  const server = new Server({
    "grpc.max_receive_message_length": limits.maxMessageBytes,
    "grpc.max_send_message_length": limits.maxMessageBytes,
    "grpc.keepalive_time_ms": limits.keepAliveMs,
    "grpc.keepalive_timeout_ms": limits.keepAliveTimeoutMs,
  });
  addServices(server, options);
  const credentials = tls === undefined ? ServerCredentials.createInsecure() : mutualTls(tls);
  const host = listen.host.includes(":") ? `[${listen.host}]` : listen.host;
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${host}:${listen.port}`, credentials, (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return { address: { host: listen.host, port }, close: () => server.forceShutdown() };
}

function addServices(server: Server, deps: DiscoveryDeps): void {
  let lastId = 0;
  let open = 0;
  for (const [, methods] of Map.groupBy(discoveryMethods(), ({ service }) => service)) {
    const handlers = methods.map(({ method, variant, onlyType }) => {
      const handle = (call: DiscoveryCall): void => {
        if (open >= deps.limits.maxStreams) {
          const details = `This server serves ${deps.limits.maxStreams} streams and no more`;
          call.emit("error", { code: status.RESOURCE_EXHAUSTED, details });
          return;
        }
        open += 1;
        call.once("close", () => {
          open -= 1;
        });
        lastId += 1;
        serveStream(call, { id: lastId, variant, onlyType }, deps);
      };
      return [method, handle] as const;
    });
    server.addService(serviceDefinition(methods), Object.fromEntries(handlers));
  }
}

function mutualTls({ certFile, keyFile, caFile }: XdsTls): ServerCredentials {
  const pair = { cert_chain: pem(certFile), private_key: pem(keyFile) };
  return ServerCredentials.createSsl(pem(caFile), [pair], true);
}

function pem(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new Error(`Cannot serve discovery over TLS: "${file}" cannot be read`, { cause: error });
  }
}
