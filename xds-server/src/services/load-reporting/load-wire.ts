import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { durationFromMs, durationMs } from "@bufbuild/protobuf/wkt";
import type { Address } from "xds-proto-ts/envoy/config/core/v3/address";
import { NodeSchema } from "xds-proto-ts/envoy/config/core/v3/base";
import {
  type ClusterStats,
  ClusterStatsSchema,
  type UnnamedEndpointLoadMetricStats,
  type UpstreamEndpointStats,
  type UpstreamLocalityStats,
} from "xds-proto-ts/envoy/config/endpoint/v3/load_report";
import { LoadStatsResponseSchema } from "xds-proto-ts/envoy/service/load_stats/v3/lrs";
import { type SharedMessage, sharedMessage } from "../../grpc/call.ts";
import type { ClusterReport, EndpointReport, LoadCounts, LoadMetric, LocalityReport } from "../../load/load-report.ts";
import { localityOf } from "../node-message.ts";

/** A decoded `LoadStatsRequest`. Its node is not decoded. */
export interface LoadRequest {
  readonly node: Uint8Array | undefined;
  readonly clusters: readonly ClusterReport[];
}

/**
 * Decodes a request. Throws on bytes that are not one. It does not decode the node: Envoy sends it in each report, and it
 * has 60 KB, mostly the list of extensions.
 */
export function readLoadRequest(bytes: Uint8Array): LoadRequest {
  const reader = new BinaryReader(bytes);
  let node: Uint8Array | undefined;
  const clusters: ClusterReport[] = [];
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (field === 1 && type === WireType.LengthDelimited) node = reader.bytes();
    else if (field === 2 && type === WireType.LengthDelimited)
      clusters.push(clusterReport(fromBinary(ClusterStatsSchema, reader.bytes())));
    else reader.skip(type, field);
  }
  return { node, clusters };
}

/** The id of an encoded node. Throws on bytes that are not a node. */
export function nodeIdOf(node: Uint8Array): string {
  return fromBinary(NodeSchema, node).id;
}

/** A response that requests reports on all clusters and endpoints, one in each interval. */
export function loadResponse(intervalMs: number): SharedMessage {
  const response = create(LoadStatsResponseSchema, {
    sendAllClusters: true,
    reportEndpointGranularity: true,
    loadReportingInterval: durationFromMs(intervalMs),
  });
  return sharedMessage("load reporting response", [toBinary(LoadStatsResponseSchema, response)]);
}

function clusterReport(stats: ClusterStats): ClusterReport {
  const { clusterName, loadReportInterval, totalDroppedRequests, upstreamLocalityStats } = stats;
  return {
    cluster: clusterName,
    intervalMs: loadReportInterval === undefined ? 0 : Math.max(0, durationMs(loadReportInterval)),
    dropped: Number(totalDroppedRequests),
    localities: upstreamLocalityStats.map(localityReport),
  };
}

function localityReport(stats: UpstreamLocalityStats): LocalityReport {
  const { locality, priority, cpuUtilization, memUtilization, applicationUtilization } = stats;
  const unnamed = {
    cpu_utilization: cpuUtilization,
    mem_utilization: memUtilization,
    application_utilization: applicationUtilization,
  };
  return {
    ...localityOf(locality),
    priority,
    counts: counts(stats),
    metrics: [
      ...Object.entries(unnamed).flatMap(([name, metric]) => (metric ? [loadMetric(name, metric)] : [])),
      ...metrics(stats),
    ],
    endpoints: stats.upstreamEndpointStats.map(endpointReport),
  };
}

function endpointReport(stats: UpstreamEndpointStats): EndpointReport {
  return { address: addressText(stats.address), counts: counts(stats), metrics: metrics(stats) };
}

function counts(stats: UpstreamLocalityStats | UpstreamEndpointStats): LoadCounts {
  return {
    issued: Number(stats.totalIssuedRequests),
    succeeded: Number(stats.totalSuccessfulRequests),
    failed: Number(stats.totalErrorRequests),
    inProgress: Number(stats.totalRequestsInProgress),
  };
}

function metrics({ loadMetricStats }: UpstreamLocalityStats | UpstreamEndpointStats): readonly LoadMetric[] {
  return loadMetricStats.map((metric) => loadMetric(metric.metricName, metric));
}

function loadMetric(
  name: string,
  metric: Pick<UnnamedEndpointLoadMetricStats, "numRequestsFinishedWithMetric" | "totalMetricValue">,
): LoadMetric {
  return { name, count: Number(metric.numRequestsFinishedWithMetric), total: metric.totalMetricValue };
}

function addressText(of: Address | undefined): string {
  const { address } = of ?? {};
  switch (address?.case) {
    case "socketAddress": {
      const { address: host, portSpecifier } = address.value;
      return `${host.includes(":") ? `[${host}]` : host}:${portSpecifier.value ?? ""}`;
    }
    case "pipe":
      return address.value.path;
    case "envoyInternalAddress":
      return address.value.addressNameSpecifier.value ?? "";
    default:
      return "";
  }
}
