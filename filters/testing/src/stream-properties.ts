import { HeaderMap } from "./header-map.ts";
import type { PropertyHeaders } from "./http-stream.ts";
import type { PropertyTree, PropertyValue } from "./properties.ts";

export interface StreamFacts extends PropertyHeaders {
  readonly connectionId: number;
  readonly protocol: string;
  readonly startedAt: Date;
  readonly receivedBytes: number;
  readonly sentBytes: number;
  readonly responseCode: number | undefined;
  readonly details: string | undefined;
  readonly cancelled: boolean;
}

/**
 * The attributes of a stream. Headers can be read through them only where a filter could read the headers itself.
 * https://www.envoyproxy.io/docs/envoy/v1.40.0/intro/arch_overview/advanced/attributes
 */
export function streamProperties(facts: StreamFacts): PropertyTree {
  const { connectionId, request, response, trailers } = facts;
  const path = request?.get(":path");
  const length = Number(request?.get("content-length") ?? Number.NaN);
  return {
    ...connectionProperties(connectionId),
    request: {
      path: text(path),
      url_path: request && text(path?.split("?")[0] ?? ""),
      query: request && text(queryOf(path ?? "")),
      host: header(request, ":authority"),
      scheme: header(request, ":scheme"),
      method: header(request, ":method"),
      referer: header(request, "referer"),
      useragent: header(request, "user-agent"),
      id: header(request, "x-request-id"),
      headers: request ?? new HeaderMap("request"),
      headers_bytes: request?.byteSize ?? 0,
      time: facts.startedAt,
      protocol: facts.protocol,
      size: Number.isInteger(length) ? length : facts.receivedBytes,
      total_size: facts.receivedBytes + (request?.byteSize ?? 0),
    },
    response: {
      code: facts.responseCode,
      code_details: facts.details,
      flags: responseFlags(facts),
      headers: response ?? new HeaderMap("response"),
      headers_bytes: response?.byteSize ?? 0,
      trailers: trailers ?? new HeaderMap("responseTrailers"),
      size: facts.sentBytes,
      total_size: facts.sentBytes + (response?.byteSize ?? 0) + (trailers?.byteSize ?? 0),
    },
  };
}

/** The attributes of a connection. */
export function connectionProperties(connectionId: number): PropertyTree {
  return {
    connection_id: connectionId,
    connection: { id: connectionId, mtls: false, requested_server_name: "" },
    filter_state: {},
    metadata: "",
    upstream: {},
    xds: {},
    source: { address: "127.0.0.1:40000", port: 40_000 },
    destination: { address: "127.0.0.1:10000", port: 10_000 },
  };
}

/**
 * The response flags that this host can set, as bits:
 * https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/observability/access_log/usage
 */
function responseFlags({ cancelled, details, protocol }: StreamFacts): number {
  const [downstreamConnectionTermination, noRouteFound, downstreamRemoteReset] = [1 << 14, 1 << 8, 1 << 28];
  if (cancelled) return protocol === "HTTP/2" ? downstreamRemoteReset : downstreamConnectionTermination;
  return details === noRoute ? noRouteFound : 0;
}

const noRoute = "route_not_found";

/** Removes the route's properties that a test gave, for a stream that found no route. */
export function routeProperties(details: string | undefined): Readonly<Record<string, undefined>> {
  if (details !== noRoute) return {};
  return { "xds.route_name": undefined, "xds.virtual_host_name": undefined, "xds.cluster_name": undefined };
}

function queryOf(path: string): string {
  const start = path.indexOf("?");
  return start < 0 ? "" : (path.slice(start + 1).split("#")[0] ?? "");
}

function header(map: HeaderMap | undefined, name: string): PropertyValue {
  return text(map?.get(name));
}

/** A header is a ByteString, so it becomes bytes and not UTF-8. */
function text(value: string | undefined): PropertyValue {
  return value === undefined ? undefined : Buffer.from(value, "latin1");
}
