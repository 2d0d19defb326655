import { create } from "@bufbuild/protobuf";
import { packAny } from "xds-proto-ts";
import { type TransportSocket, TransportSocketSchema } from "xds-proto-ts/envoy/config/core/v3/base";
import { ListenerSchema } from "xds-proto-ts/envoy/config/listener/v3/listener";
import { type Filter, FilterSchema } from "xds-proto-ts/envoy/config/listener/v3/listener_components";
import { HttpConnectionManagerSchema } from "xds-proto-ts/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager";
import { TcpProxySchema } from "xds-proto-ts/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy";
import { DownstreamTlsContextSchema } from "xds-proto-ts/envoy/extensions/transport_sockets/tls/v3/tls";
import type { Document } from "../model/document.ts";
import { filterDefaults } from "../model/filter.ts";
import { type ListenerSpec, listenerDefaults } from "../model/listener.ts";
import { type Built, built } from "./built.ts";
import type { FilterUse } from "./filters.ts";
import { httpConnections } from "./http-connections.ts";
import { connectionBufferBytes } from "./limits.ts";
import { durationOf, file, socketAddress } from "./values.ts";

/** A Listener with its filters, in the order in which they run. */
export function buildListener(document: Document<"Listener">, ...filters: readonly FilterUse[]): Built {
  const { name, spec } = document;
  const { tls } = spec;
  const message = create(ListenerSchema, {
    name,
    address: socketAddress(spec.address ?? listenerDefaults.address, spec.port),
    perConnectionBufferLimitBytes: connectionBufferBytes,
    filterChains: [
      {
        filters: [networkFilter(name, spec, filters)],
        ...(tls === undefined ? {} : { transportSocket: downstreamTls(tls, spec.http !== undefined) }),
      },
    ],
  });
  return built(document, "LDS", ListenerSchema, message);
}

/** The order in which filters run: by `order`, then by name. */
export function inRunningOrder(filters: readonly Document<"Filter">[]): readonly Document<"Filter">[] {
  const orderOf = ({ spec }: Document<"Filter">): number => spec.order ?? filterDefaults.order;
  return filters.toSorted((one, other) => orderOf(one) - orderOf(other) || (one.name < other.name ? -1 : 1));
}

function networkFilter(name: string, { http, tcp }: ListenerSpec, filters: readonly FilterUse[]): Filter {
  if (http !== undefined) {
    return create(FilterSchema, {
      name: "envoy.filters.network.http_connection_manager",
      configType: {
        case: "typedConfig",
        value: packAny(HttpConnectionManagerSchema, httpConnections(name, http, filters)),
      },
    });
  }
  const proxy = create(TcpProxySchema, {
    statPrefix: name,
    clusterSpecifier: { case: "cluster", value: tcp?.cluster ?? "" },
    idleTimeout: durationOf(tcp?.idleTimeout ?? listenerDefaults.idleTimeout),
  });
  return create(FilterSchema, {
    name: "envoy.filters.network.tcp_proxy",
    configType: { case: "typedConfig", value: packAny(TcpProxySchema, proxy) },
  });
}

function downstreamTls({ certFile, keyFile }: NonNullable<ListenerSpec["tls"]>, isHttp: boolean): TransportSocket {
  const context = create(DownstreamTlsContextSchema, {
    commonTlsContext: {
      alpnProtocols: isHttp ? ["h2", "http/1.1"] : [],
      tlsCertificates: [{ certificateChain: file(certFile), privateKey: file(keyFile) }],
    },
  });
  return create(TransportSocketSchema, {
    name: "envoy.transport_sockets.tls",
    configType: { case: "typedConfig", value: packAny(DownstreamTlsContextSchema, context) },
  });
}
