import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { packAny } from "xds-proto-ts";
import {
  type Cluster,
  ClusterSchema,
  Cluster_DiscoveryType as DiscoveryType,
  Cluster_LbPolicy as LbPolicy,
} from "xds-proto-ts/envoy/config/cluster/v3/cluster";
import { DnsLookupFamily } from "xds-proto-ts/envoy/extensions/clusters/common/dns/v3/dns";
import { DnsClusterSchema } from "xds-proto-ts/envoy/extensions/clusters/dns/v3/dns_cluster";
import { HttpProtocolOptionsSchema } from "xds-proto-ts/envoy/extensions/upstreams/http/v3/http_protocol_options";
import { type ClusterSpec, clusterDefaults } from "../model/cluster.ts";
import type { Document } from "../model/document.ts";
import { type Built, built } from "./built.ts";
import { fromAds } from "./config-source.ts";
import { builtEndpoints } from "./endpoints.ts";
import { connectionBufferBytes, http2Limits } from "./limits.ts";
import { upstreamTls } from "./upstream-tls.ts";
import { durationOf, socketAddress } from "./values.ts";

type ClusterInit = MessageInitShape<typeof ClusterSchema>;

/** A Cluster. Endpoints in it become a resource of their own, so that their changes never rebuild the cluster. */
export function buildCluster(document: Document<"Cluster">): Built {
  const cluster = built(document, "CDS", ClusterSchema, message(document));
  if (document.spec.endpoints === undefined) return cluster;
  const endpoints = builtEndpoints(document, document.spec.endpoints);
  return {
    resources: [...cluster.resources, ...endpoints.resources],
    problems: [...cluster.problems, ...endpoints.problems],
  };
}

function message({ name, spec }: Document<"Cluster">): Cluster {
  const { protocol = clusterDefaults.protocol, lbPolicy = clusterDefaults.lbPolicy, tls } = spec;
  return create(ClusterSchema, {
    name,
    ...discovery(name, spec),
    connectTimeout: durationOf(spec.connectTimeout ?? clusterDefaults.connectTimeout),
    lbPolicy: LbPolicy[lbPolicy],
    perConnectionBufferLimitBytes: connectionBufferBytes,
    ...circuitBreakers(spec),
    ...(protocol === "http2" ? { typedExtensionProtocolOptions: http2 } : {}),
    ...(tls === undefined
      ? {}
      : { transportSocket: upstreamTls(tls, { host: spec.dns?.hostname, alpn: alpnOf[protocol] }) }),
  });
}

const alpnOf = { http1: "http/1.1", http2: "h2" } as const;

type Discovery = Pick<ClusterInit, "clusterDiscoveryType" | "edsClusterConfig" | "loadAssignment">;

function discovery(name: string, { dns }: ClusterSpec): Discovery {
  if (dns === undefined) {
    return {
      clusterDiscoveryType: { case: "type", value: DiscoveryType.EDS },
      edsClusterConfig: { edsConfig: fromAds },
    };
  }
  const settings = create(DnsClusterSchema, {
    dnsRefreshRate: durationOf(dns.refreshRate ?? clusterDefaults.dnsRefreshRate),
    dnsLookupFamily: DnsLookupFamily.V4_PREFERRED,
    // With all addresses in one endpoint, Envoy calls it a logical DNS cluster.
    allAddressesInSingleEndpoint: (dns.mode ?? clusterDefaults.dnsMode) === "logical",
  });
  return {
    clusterDiscoveryType: {
      case: "clusterType",
      value: { name: "envoy.clusters.dns", typedConfig: packAny(DnsClusterSchema, settings) },
    },
    loadAssignment: {
      clusterName: name,
      endpoints: [
        {
          lbEndpoints: [
            { hostIdentifier: { case: "endpoint", value: { address: socketAddress(dns.hostname, dns.port) } } },
          ],
        },
      ],
    },
  };
}

function circuitBreakers(spec: ClusterSpec): Pick<ClusterInit, "circuitBreakers"> {
  const { maxConnections, maxPendingRequests, maxRequests, maxRetries } = spec;
  const limits = Object.entries({ maxConnections, maxPendingRequests, maxRequests, maxRetries });
  const given = Object.fromEntries(limits.filter(([, limit]) => limit !== undefined));
  return Object.keys(given).length === 0 ? {} : { circuitBreakers: { thresholds: [given] } };
}

const http2 = {
  "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": packAny(
    HttpProtocolOptionsSchema,
    create(HttpProtocolOptionsSchema, {
      upstreamProtocolOptions: {
        case: "explicitHttpConfig",
        value: { protocolConfig: { case: "http2ProtocolOptions", value: http2Limits } },
      },
    }),
  ),
};
