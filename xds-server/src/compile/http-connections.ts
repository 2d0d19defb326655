import { create } from "@bufbuild/protobuf";
import { packAny } from "xds-proto-ts";
import { HttpProtocolOptions_HeadersWithUnderscoresAction as Underscores } from "xds-proto-ts/envoy/config/core/v3/protocol";
import { RouterSchema } from "xds-proto-ts/envoy/extensions/filters/http/router/v3/router";
import {
  HttpConnectionManager_CodecType as CodecType,
  HttpConnectionManager_PathWithEscapedSlashesAction as EscapedSlashes,
  type HttpConnectionManager,
  HttpConnectionManagerSchema,
  type HttpFilter,
  HttpFilterSchema,
} from "xds-proto-ts/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager";
import { type ListenerSpec, listenerDefaults } from "../model/listener.ts";
import { stdoutAccessLog } from "./access-log.ts";
import { fromAds } from "./config-source.ts";
import { filterResourceName, wasmTypeUrl } from "./filters.ts";
import { http2Limits, requestHeadersTimeout, streamIdleTimeout } from "./limits.ts";
import { durationOf } from "./values.ts";

type Http = NonNullable<ListenerSpec["http"]>;

/** How a listener speaks HTTP. The filters are given by name, in the order in which they run. */
export function httpConnections(listener: string, http: Http, filters: readonly string[]): HttpConnectionManager {
  const { accessLog = listenerDefaults.accessLog } = http;
  return create(HttpConnectionManagerSchema, {
    statPrefix: listener,
    codecType: CodecType.AUTO,
    routeSpecifier: { case: "rds", value: { configSource: fromAds, routeConfigName: listener } },
    httpFilters: [...filters.map(discoveredFilter), router],
    accessLog: accessLog ? [stdoutAccessLog] : [],

    // Whoever connects is the client: headers that claim otherwise are not believed.
    useRemoteAddress: true,
    // One path has one spelling, so that no rule on paths is passed by writing it otherwise.
    normalizePath: true,
    mergeSlashes: true,
    pathWithEscapedSlashesAction: EscapedSlashes.UNESCAPE_AND_REDIRECT,

    commonHttpProtocolOptions: {
      idleTimeout: durationOf(http.idleTimeout ?? listenerDefaults.idleTimeout),
      // Upstreams that map "_" and "-" to one would take a header that no rule here saw.
      headersWithUnderscoresAction: Underscores.REJECT_REQUEST,
    },
    http2ProtocolOptions: http2Limits,
    maxRequestHeadersKb: http.maxRequestHeadersKb ?? listenerDefaults.maxRequestHeadersKb,
    requestHeadersTimeout: durationOf(requestHeadersTimeout),
    requestTimeout: durationOf(http.requestTimeout ?? listenerDefaults.requestTimeout),
    streamIdleTimeout: durationOf(streamIdleTimeout),
  });
}

/**
 * A filter that comes by ECDS. There is no default: the listener takes no requests before it has the filter, and none
 * passes without it.
 */
const discoveredFilter = (filter: string): HttpFilter =>
  create(HttpFilterSchema, {
    name: filterResourceName(filter),
    configType: { case: "configDiscovery", value: { configSource: fromAds, typeUrls: [wasmTypeUrl] } },
  });

const router: HttpFilter = create(HttpFilterSchema, {
  name: "envoy.filters.http.router",
  configType: { case: "typedConfig", value: packAny(RouterSchema, create(RouterSchema)) },
});
