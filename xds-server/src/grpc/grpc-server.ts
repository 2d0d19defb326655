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
import { MessageRoom } from "./deframer.ts";
import { Http2Call } from "./http2-call.ts";
import { createInflate } from "./inflate.ts";
import type { TransportLimits } from "./limits.ts";
import { CallFault } from "./status.ts";
import type { TlsMaterial } from "./tls-files.ts";

export interface HostPort {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
}

export interface GrpcServerOptions {
  readonly listen: HostPort;
  /** Absent: plaintext. */
  readonly tls?: TlsMaterial;
  readonly limits: TransportLimits;
  readonly methods: Methods;
  /** Shares the event loop with what else is done for many clients at once; absent when there is nothing else. */
  readonly turns?: Turns;
  readonly log: Logger;
}

export interface RunningGrpcServer {
  /** Where it listens; the port that was taken when 0 was asked for. */
  readonly address: HostPort;
  /** Takes another certificate for connections from now on; those that are open stay. */
  renewTls(tls: TlsMaterial): void;
  /** Ends all calls and stops listening. */
  close(): void;
}

/** How far a client may send ahead, in bytes. More in all than on one stream, so that one does not hold up the rest. */
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
  // In megabytes. Node rejects new streams while what is queued for a connection is over it.
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

/** Takes each HTTP/2 stream to its method, or rejects it. */
function acceptor({ methods, limits, turns = new Turns(), log }: GrpcServerOptions) {
  const inflate = createInflate(limits.maxMessageBytes);
  const room = new MessageRoom(limits.maxPartialBytes);
  let open = 0;
  return (stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void => {
    const httpStatus = rejectedAs(headers);
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
      room,
      turns,
      inflate: headers["grpc-encoding"] === "gzip" ? inflate : undefined,
      log,
    });
    call.serve((call) => {
      if (open >= limits.maxStreams) {
        throw new CallFault("RESOURCE_EXHAUSTED", `This server serves ${limits.maxStreams} streams and no more`);
      }
      open += 1;
      stream.once("close", () => {
        open -= 1;
      });
      return methodFor(headers, methods)(call);
    });
  };
}

/** The HTTP status of what is no gRPC call at all. */
function rejectedAs(headers: IncomingHttpHeaders): number | undefined {
  if (headers[":method"] !== "POST") return 405;
  return /^application\/grpc($|[+;])/.test(headers["content-type"] ?? "") ? undefined : 415;
}

function methodFor(headers: IncomingHttpHeaders, methods: Methods): Method {
  const encoding = headers["grpc-encoding"] ?? "identity";
  if (encoding !== "identity" && encoding !== "gzip") {
    throw new CallFault("UNIMPLEMENTED", `Messages may be compressed by gzip, not by "${encoding}"`);
  }
  const path = headers[":path"] ?? "";
  const method = methods.get(path);
  if (method === undefined) throw new CallFault("UNIMPLEMENTED", `There is no method "${path}"`);
  return method;
}

/** Empty where the connection is gone already. */
function peerOf({ remoteAddress = "", remotePort }: Socket): string {
  if (remotePort === undefined) return "";
  return remoteAddress.includes(":") ? `[${remoteAddress}]:${remotePort}` : `${remoteAddress}:${remotePort}`;
}
