import { z } from "zod";
import { endpointList } from "./endpoints.ts";
import {
  count,
  distinct,
  exactlyOneOf,
  fault,
  filePath,
  hostname,
  type Immutable,
  isIpAddress,
  nodeGroupField,
  optional,
  port,
  positiveDuration,
  required,
} from "./fields.ts";

/** The values of the fields that a Cluster leaves out. */
export const clusterDefaults = {
  protocol: "http1",
  lbPolicy: "LEAST_REQUEST",
  connectTimeout: "5s",
  dnsMode: "strict",
  dnsRefreshRate: "5s",
  /** The system's certificate authorities on Debian, Ubuntu, Alpine and in Envoy's own image. */
  caFile: "/etc/ssl/certs/ca-certificates.crt",
} as const;

const dnsSchema = z
  .strictObject({
    hostname: required(hostname, "The DNS name. The proxy resolves it repeatedly."),
    port: required(port, "The port of every resolved address."),
    mode: optional(
      z.enum(["strict", "logical"]),
      "`strict`: every resolved address is an endpoint. `logical`: new connections go to the first resolved address, and open connections stay.",
      clusterDefaults.dnsMode,
    ),
    refreshRate: optional(positiveDuration, "The time between two DNS queries.", clusterDefaults.dnsRefreshRate),
  })
  .meta({ description: "Endpoints that the proxy finds by DNS." });

const subjectAltName = z
  .string()
  .min(1)
  .max(253)
  .regex(/^[!-~]+$/, "must be a DNS name, an IP address or a URI, without spaces");

const tlsSchema = z
  .strictObject({
    serverName: optional(
      hostname,
      "The server name that the proxy sends (SNI) and that the certificate must contain. When absent: the host name of `dns`.",
    ),
    caFile: optional(
      filePath,
      "A PEM file on the proxy's machine with the certificate authorities to trust. When absent: the system's authorities.",
      clusterDefaults.caFile,
    ),
    certFile: optional(
      filePath,
      "A PEM file on the proxy's machine with the proxy's certificate chain. When absent: the proxy sends no certificate.",
    ),
    keyFile: optional(filePath, "A PEM file on the proxy's machine with the private key of `certFile`."),
    subjectAltNames: optional(
      distinct(z.array(subjectAltName).min(1).max(100)),
      "DNS names, IP addresses or URIs. The certificate must contain at least one of them. When absent: `serverName`.",
    ),
    insecureSkipVerify: optional(
      z.boolean(),
      "Accept any certificate. An attacker between the proxy and the endpoint can then read and change all traffic.",
      false,
    ),
  })
  .refine(({ certFile, keyFile }) => (certFile === undefined) === (keyFile === undefined), {
    ...fault("FIELD_CONFLICT", 'must have both "certFile" and "keyFile", or neither'),
  })
  .refine(
    ({ insecureSkipVerify, caFile, subjectAltNames }) =>
      insecureSkipVerify !== true || (caFile === undefined && subjectAltNames === undefined),
    { ...fault("FIELD_CONFLICT", 'must not have "caFile" or "subjectAltNames" with "insecureSkipVerify"') },
  )
  .meta({ description: "TLS to the endpoints. The proxy checks their certificate and the name in it." });

export const clusterSchema = exactlyOneOf(
  z.strictObject({
    nodeGroup: nodeGroupField,
    endpoints: optional(
      endpointList,
      "The endpoints, listed here. A change to this list does not rebuild the cluster in the proxy.",
    ),
    dns: optional(dnsSchema, "The endpoints, found by DNS."),
    eds: optional(z.strictObject({}), "The endpoints are in the Endpoints document of the same name."),
    protocol: optional(z.enum(["http1", "http2"]), "The protocol of the endpoints.", clusterDefaults.protocol),
    tls: optional(tlsSchema, "TLS to the endpoints. When absent: plain text."),
    lbPolicy: optional(
      z.enum(["ROUND_ROBIN", "LEAST_REQUEST"]),
      "How the proxy chooses an endpoint for a request.",
      clusterDefaults.lbPolicy,
    ),
    connectTimeout: optional(
      positiveDuration,
      "The maximum time to open a connection to an endpoint.",
      clusterDefaults.connectTimeout,
    ),
    maxConnections: optional(count, "The maximum number of open connections, for each proxy. When absent: 1024."),
    maxRequests: optional(count, "The maximum number of requests in flight, for each proxy. When absent: 1024."),
    maxPendingRequests: optional(
      count,
      "The maximum number of requests that wait for a connection, for each proxy. When absent: 1024.",
    ),
    maxRetries: optional(count, "The maximum number of retries in flight, for each proxy. When absent: 3."),
  }),
  ["endpoints", "dns", "eds"],
)
  .refine(
    ({ tls, dns }) =>
      tls === undefined ||
      tls.insecureSkipVerify === true ||
      tls.serverName !== undefined ||
      tls.subjectAltNames !== undefined ||
      (dns !== undefined && !isIpAddress(dns.hostname)),
    {
      ...fault("FIELD_MISSING", 'must say which name the certificate contains: set "serverName" or "subjectAltNames"'),
      path: ["tls"],
    },
  )
  .meta({ description: "An upstream service: its endpoints and how proxies connect to them." });

/** An upstream service. Exactly one of `endpoints`, `dns` and `eds` gives its endpoints. */
export type ClusterSpec = Immutable<z.infer<typeof clusterSchema>>;

export type ClusterTls = NonNullable<ClusterSpec["tls"]>;
