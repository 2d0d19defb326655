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

/** What holds where a Cluster is silent. */
export const clusterDefaults = {
  protocol: "http1",
  lbPolicy: "LEAST_REQUEST",
  connectTimeout: "5s",
  dnsMode: "strict",
  dnsRefreshRate: "5s",
  /** Where Debian, Ubuntu, Alpine and Envoy's own image keep the system's authorities. */
  caFile: "/etc/ssl/certs/ca-certificates.crt",
} as const;

const dnsSchema = z
  .strictObject({
    hostname: required(hostname, "The name to look up, again and again."),
    port: required(port, "The port of every address found."),
    mode: optional(
      z.enum(["strict", "logical"]),
      "`strict`: every address found is an endpoint. `logical`: new connections go to the first address found, old ones stay.",
      clusterDefaults.dnsMode,
    ),
    refreshRate: optional(positiveDuration, "How long to wait between two look-ups.", clusterDefaults.dnsRefreshRate),
  })
  .meta({ description: "Endpoints found by DNS, from the proxy." });

const subjectAltName = z
  .string()
  .min(1)
  .max(253)
  .regex(/^[!-~]+$/, "must be a DNS name, an IP address or a URI, without spaces");

const tlsSchema = z
  .strictObject({
    serverName: optional(
      hostname,
      "The name sent (SNI) and demanded of the certificate. The host name of `dns` when absent.",
    ),
    caFile: optional(
      filePath,
      "The authorities to trust, PEM, on the proxy's machine. The system's when absent.",
      clusterDefaults.caFile,
    ),
    certFile: optional(filePath, "The proxy's own certificate chain, PEM. None is shown when absent."),
    keyFile: optional(filePath, "The private key of `certFile`, PEM."),
    subjectAltNames: optional(
      distinct(z.array(subjectAltName).min(1).max(100)),
      "Names of which the certificate must bear one: DNS names, IP addresses or URIs. `serverName` when absent.",
    ),
    insecureSkipVerify: optional(
      z.boolean(),
      "Take any certificate. Whoever is in the middle can read and change everything.",
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
  .meta({ description: "TLS to the endpoints. Their certificate is checked, and the name in it." });

export const clusterSchema = exactlyOneOf(
  z.strictObject({
    nodeGroup: nodeGroupField,
    endpoints: optional(
      endpointList,
      "Where the cluster is served, written here. A change of them never rebuilds the cluster.",
    ),
    dns: optional(dnsSchema, "Where the cluster is served, looked up by the proxy."),
    eds: optional(z.strictObject({}), "The endpoints stand in the Endpoints document of the same name."),
    protocol: optional(z.enum(["http1", "http2"]), "What the endpoints speak.", clusterDefaults.protocol),
    tls: optional(tlsSchema, "TLS to the endpoints. Plain text when absent."),
    lbPolicy: optional(
      z.enum(["ROUND_ROBIN", "LEAST_REQUEST"]),
      "How an endpoint is picked for a request.",
      clusterDefaults.lbPolicy,
    ),
    connectTimeout: optional(positiveDuration, "How long a new connection may take.", clusterDefaults.connectTimeout),
    maxConnections: optional(count, "Connections open at once, for each proxy. 1024 when absent."),
    maxRequests: optional(count, "Requests in flight at once, for each proxy. 1024 when absent."),
    maxPendingRequests: optional(count, "Requests that may wait for a connection. 1024 when absent."),
    maxRetries: optional(count, "Retries in flight at once, for each proxy. 3 when absent."),
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
      ...fault("FIELD_MISSING", 'must say which name the certificate bears: give "serverName" or "subjectAltNames"'),
      path: ["tls"],
    },
  )
  .meta({ description: "A service that requests can be sent to." });

/** A service that requests can be sent to. Exactly one of `endpoints`, `dns` and `eds` says where it is served. */
export type ClusterSpec = Immutable<z.infer<typeof clusterSchema>>;

export type ClusterTls = NonNullable<ClusterSpec["tls"]>;
