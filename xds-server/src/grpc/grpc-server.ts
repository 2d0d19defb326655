import {
  createSecureServer,
  createServer,
  type Http2SecureServer,
  type Http2Server,
  type Http2Session,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { Logger } from "pino";
import { Turns } from "../process/turns.ts";
import type { Method, Methods } from "./call.ts";
import { type Connection, watchConnection } from "./connection.ts";
import { BufferPool } from "./deframer.ts";
import { Http2Call } from "./http2-call.ts";
import { createInflate } from "./inflate.ts";
import type { TransportLimits } from "./limits.ts";
import { CallFault } from "./status.ts";
import type { TlsMaterial } from "./tls-files.ts";

export interface HostPort {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
}

export interface GrpcServerOptions {
  readonly listen: HostPort;
  /** Absent: plain text. */
  readonly tls?: TlsMaterial;
  readonly limits: TransportLimits;
  readonly methods: Methods;
  /** Shares the event loop between the calls and other work for many clients. Absent: the server makes its own. */
  readonly turns?: Turns;
  readonly log: Logger;
}

export interface RunningGrpcServer {
  /** The address that the server listens on, with the actual port. */
  readonly address: HostPort;
  /** Uses another certificate for new connections. Open connections stay. */
  renewTls(tls: TlsMaterial): void;
  /** Ends all calls and stops listening. */
  close(): void;
}

/** HTTP/2 flow-control windows, in bytes. The connection's is larger, so that one paused stream does not block the others. */
const streamWindow = 256 * 1024;
const connectionWindow = 1024 * 1024;

/** Serves gRPC methods over HTTP/2. Rejects when the port cannot be bound. */
export async function startGrpcServer(options: GrpcServerOptions): Promise<RunningGrpcServer> {
  const { listen, limits, log } = options;
  const server = http2Server(options);
  const accept = acceptor(options);
  const connections = new Map<Http2Session, Connection>();
  server.maxConnections = limits.maxConnections;
  server.on("session", (session) => {
    session.setLocalWindowSize(connectionWindow);
    connections.set(session, watchConnection(session, limits));
    session.once("close", () => connections.delete(session));
  });
  server.on("stream", (stream, headers) => {
    const connection = stream.session && connections.get(stream.session);
    connection?.callOpened();
    stream.once("close", () => connection?.callClosed());
    accept(stream, headers);
  });
  server.on("sessionError", (error) => log.debug({ err: error }, "a connection failed"));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: listen.host, port: listen.port }, () => {
      server.off("error", reject);
      resolve();
    });
  });
  const { port } = server.address() as AddressInfo;
  return {
    address: { host: listen.host, port },
    renewTls(tls) {
      if ("setSecureContext" in server) server.setSecureContext(tls);
    },
    close() {
      server.close();
      for (const session of connections.keys()) session.destroy();
    },
  };
}

function http2Server({ limits, tls, log }: GrpcServerOptions): Http2Server | Http2SecureServer {
  const settings = {
    initialWindowSize: streamWindow,
    maxConcurrentStreams: limits.maxStreamsPerConnection,
    maxHeaderListSize: limits.maxHeaderBytes,
    enablePush: false,
  };
  // In megabytes. Node rejects new streams while a connection has more queued than this.
  const maxSessionMemory = Math.ceil((4 * limits.maxMessageBytes) / 1_000_000);
  if (tls === undefined) return createServer({ settings, maxSessionMemory });
  const { handshakeTimeoutMs: handshakeTimeout } = limits;
  const mutual = { ...tls, requestCert: true, rejectUnauthorized: true, handshakeTimeout };
  const server = createSecureServer({ settings, maxSessionMemory, ...mutual });
  server.on("tlsClientError", (error, socket) =>
    log.info({ peer: peerOf(socket), reason: error.message }, "a TLS handshake failed"),
  );
  server.on("unknownProtocol", (socket) => socket.destroy());
  return server;
}

/** Returns a function that gives each HTTP/2 stream to its method, or rejects it. */
function acceptor({ methods, limits, turns = new Turns(), log }: GrpcServerOptions) {
  const inflate = createInflate(limits.maxMessageBytes);
  const pool = new BufferPool(limits.maxPartialBytes);
  let open = 0;
  return (stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void => {
    const httpStatus = httpRejection(headers);
    if (httpStatus !== undefined) {
      stream.on("error", () => {});
      stream.respond({ ":status": httpStatus }, { endStream: true });
      return;
    }
    const { socket } = stream.session ?? {};
    const call = new Http2Call(stream, {
      peer: socket === undefined ? "" : peerOf(socket),
      peerCertificate: socket instanceof TLSSocket ? socket.getPeerCertificate() : undefined,
      limits,
      pool,
      turns,
      inflate: headers["grpc-encoding"] === "gzip" ? inflate : undefined,
      log,
    });
    call.serve((call) => {
      if (open >= limits.maxStreams) {
        throw new CallFault(
          "RESOURCE_EXHAUSTED",
          `This server has ${limits.maxStreams} open streams, which is its maximum`,
        );
      }
      open += 1;
      stream.once("close", () => {
        open -= 1;
      });
      return methodFor(headers, methods)(call);
    });
  };
}

/** The HTTP status for a request that is not a gRPC call. Undefined for a gRPC call. */
function httpRejection(headers: IncomingHttpHeaders): number | undefined {
  if (headers[":method"] !== "POST") return 405;
  return /^application\/grpc($|[+;])/.test(headers["content-type"] ?? "") ? undefined : 415;
}

function methodFor(headers: IncomingHttpHeaders, methods: Methods): Method {
  const encoding = headers["grpc-encoding"] ?? "identity";
  if (encoding !== "identity" && encoding !== "gzip") {
    throw new CallFault("UNIMPLEMENTED", `Messages may be compressed with gzip, but not with "${encoding}"`);
  }
  const path = headers[":path"] ?? "";
  const method = methods.get(path);
  if (method === undefined) throw new CallFault("UNIMPLEMENTED", `There is no method "${path}"`);
  return method;
}

/** The client's address. Empty when the connection is already closed. */
function peerOf({ remoteAddress = "", remotePort }: Socket): string {
  if (remotePort === undefined) return "";
  return remoteAddress.includes(":") ? `[${remoteAddress}]:${remotePort}` : `${remoteAddress}:${remotePort}`;
}
