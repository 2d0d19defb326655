import { z } from "zod";
import {
  distinct,
  documentName,
  duration,
  exactlyOneOf,
  filePath,
  type Immutable,
  ipAddress,
  nodeGroupField,
  optional,
  required,
} from "./fields.ts";

/** What holds where a Listener is silent. */
export const listenerDefaults = {
  address: "127.0.0.1",
  idleTimeout: "1h",
  requestTimeout: "5m",
  maxRequestHeadersKb: 60,
  accessLog: false,
} as const;

const tlsSchema = z
  .strictObject({
    certFile: required(filePath, "The certificate chain, PEM, on the proxy's machine."),
    keyFile: required(filePath, "The private key of `certFile`, PEM, on the proxy's machine."),
  })
  .meta({ description: "TLS from files on the proxy's machine, version 1.2 or later." });

const httpSchema = z
  .strictObject({
    routes: required(
      distinct(z.array(documentName).min(1).max(10_000)),
      "The Route documents that the listener serves. No host may stand in two of them.",
    ),
    idleTimeout: optional(
      duration,
      "How long a connection may be without requests. `0s` switches it off.",
      listenerDefaults.idleTimeout,
    ),
    requestTimeout: optional(
      duration,
      "How long a client may take to send one whole request. `0s` switches it off, which long uploads need.",
      listenerDefaults.requestTimeout,
    ),
    maxRequestHeadersKb: optional(
      z.int().min(1).max(8192),
      "Requests with larger headers, in KiB, are rejected with 431.",
      listenerDefaults.maxRequestHeadersKb,
    ),
    accessLog: optional(
      z.boolean(),
      "Write a line of JSON for each request to the proxy's standard output.",
      listenerDefaults.accessLog,
    ),
  })
  .meta({ description: "HTTP/1 and, with TLS or prior knowledge, HTTP/2." });

const tcpSchema = z
  .strictObject({
    cluster: required(documentName, "Where every connection goes."),
    idleTimeout: optional(
      duration,
      "How long a connection may be silent. `0s` switches it off.",
      listenerDefaults.idleTimeout,
    ),
  })
  .meta({ description: "Connections passed on as they are." });

export const listenerSchema = exactlyOneOf(
  z.strictObject({
    nodeGroup: nodeGroupField,
    address: optional(ipAddress, "The address to listen on. `0.0.0.0` or `::` for all.", listenerDefaults.address),
    port: required(z.int().min(0).max(65_535), "The port to listen on. 0: any free one."),
    tls: optional(tlsSchema, "TLS from clients. Plain text when absent."),
    http: optional(httpSchema, "Speak HTTP and route requests."),
    tcp: optional(tcpSchema, "Pass connections on."),
  }),
  ["http", "tcp"],
).meta({ description: "A place where proxies take connections." });

/** A place where proxies take connections. Exactly one of `http` and `tcp` says what becomes of them. */
export type ListenerSpec = Immutable<z.infer<typeof listenerSchema>>;
