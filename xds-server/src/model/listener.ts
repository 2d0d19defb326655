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

/** The values of the fields that a Listener leaves out. */
export const listenerDefaults = {
  address: "127.0.0.1",
  idleTimeout: "1h",
  requestTimeout: "5m",
  maxRequestHeadersKb: 60,
  accessLog: false,
} as const;

const tlsSchema = z
  .strictObject({
    certFile: required(filePath, "A PEM file on the proxy's machine with the certificate chain."),
    keyFile: required(filePath, "A PEM file on the proxy's machine with the private key of `certFile`."),
  })
  .meta({ description: "TLS, version 1.2 or later. The certificate and key are files on the proxy's machine." });

const httpSchema = z
  .strictObject({
    routes: required(
      distinct(z.array(documentName).min(1).max(10_000)),
      "The names of the Route documents that the listener serves. No two of them may have the same host.",
    ),
    idleTimeout: optional(
      duration,
      "The maximum time that a connection stays open without requests. `0s`: no limit.",
      listenerDefaults.idleTimeout,
    ),
    requestTimeout: optional(
      duration,
      "The maximum time for a client to send one whole request. `0s`: no limit, for long uploads.",
      listenerDefaults.requestTimeout,
    ),
    maxRequestHeadersKb: optional(
      z.int().min(1).max(8192),
      "The maximum size of a request's headers, in KiB. The proxy rejects a request with larger headers with 431.",
      listenerDefaults.maxRequestHeadersKb,
    ),
    accessLog: optional(
      z.boolean(),
      "Whether the proxy writes one line of JSON for each request to its standard output.",
      listenerDefaults.accessLog,
    ),
  })
  .meta({ description: "HTTP/1, and HTTP/2 with TLS or by prior knowledge." });

const tcpSchema = z
  .strictObject({
    cluster: required(documentName, "The name of the cluster that every connection goes to."),
    idleTimeout: optional(
      duration,
      "The maximum time that a connection stays open without data in either direction. `0s`: no limit.",
      listenerDefaults.idleTimeout,
    ),
  })
  .meta({ description: "TCP connections, forwarded unchanged." });

export const listenerSchema = exactlyOneOf(
  z.strictObject({
    nodeGroup: nodeGroupField,
    address: optional(
      ipAddress,
      "The address to listen on. `0.0.0.0` or `::`: all addresses.",
      listenerDefaults.address,
    ),
    port: required(z.int().min(0).max(65_535), "The port to listen on. 0: any free port."),
    tls: optional(tlsSchema, "TLS with clients. When absent: plain text."),
    http: optional(httpSchema, "The listener serves HTTP and routes requests."),
    tcp: optional(tcpSchema, "The listener forwards TCP connections to one cluster."),
  }),
  ["http", "tcp"],
).meta({ description: "An address on which proxies accept connections." });

/** An address on which proxies accept connections. Exactly one of `http` and `tcp` says what happens to them. */
export type ListenerSpec = Immutable<z.infer<typeof listenerSchema>>;
