import { create } from "@bufbuild/protobuf";
import { packAny } from "xds-proto-ts";
import { HttpProtocolOptions_HeadersWithUnderscoresAction as Underscores } from "xds-proto-ts/envoy/config/core/v3/protocol";
import { HeaderMutationSchema } from "xds-proto-ts/envoy/extensions/filters/http/header_mutation/v3/header_mutation";
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
import { canaryLogs } from "./canary-log.ts";
import { canaryRoutesName } from "./canary-routes.ts";
import { fromAds } from "./config-source.ts";
import { canaryResourceName, type FilterUse, filterResourceName, wasmTypeUrl } from "./filters.ts";
import { http2Limits, requestHeadersTimeout, streamIdleTimeout } from "./limits.ts";
import { durationOf } from "./values.ts";

type Http = NonNullable<ListenerSpec["http"]>;

/** The HTTP connection manager of a listener. The filters are in the order in which they run. */
export function httpConnections(listener: string, http: Http, filters: readonly FilterUse[]): HttpConnectionManager {
  const { accessLog = listenerDefaults.accessLog } = http;
  const canary = filters.find((use) => use.startsWith("canary "));
  const routeConfigName = canary === undefined ? listener : canaryRoutesName(listener);
  return create(HttpConnectionManagerSchema, {
    statPrefix: listener,
    codecType: CodecType.AUTO,
    routeSpecifier: { case: "rds", value: { configSource: fromAds, routeConfigName } },
    httpFilters: [...filters.map(discoveredFilter), router],
    accessLog: [...(accessLog ? [stdoutAccessLog] : []), ...(canary === undefined ? [] : canaryLogs(listener))],

    // The client's address is that of the connection. Headers that name another one are not trusted.
    useRemoteAddress: true,
    // Each path gets one spelling, so that no other spelling evades a rule about paths.
    normalizePath: true,
    mergeSlashes: true,
    pathWithEscapedSlashesAction: EscapedSlashes.UNESCAPE_AND_REDIRECT,

    commonHttpProtocolOptions: {
      idleTimeout: durationOf(http.idleTimeout ?? listenerDefaults.idleTimeout),
      // Some upstreams treat "_" as "-". They would accept a header that no rule here has seen.
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
 * A filter that arrives by ECDS. The listener accepts no requests before it has the filter. A required filter has no
 * default, so that no request passes without it. When the proxy cannot load an optional one, a filter that does nothing
 * runs instead.
 */
function discoveredFilter(use: FilterUse): HttpFilter {
  const filter = use.slice(use.indexOf(" ") + 1);
  // Routes enable the canary for its share of the requests.
  const disabled = use.startsWith("canary ");
  const name = disabled ? canaryResourceName(filter) : filterResourceName(filter);
  const isOptional = use.startsWith("optional ");
  const typeUrls = isOptional ? [wasmTypeUrl, nothing.typeUrl] : [wasmTypeUrl];
  const value = { configSource: fromAds, typeUrls, ...(isOptional ? { defaultConfig: nothing } : {}) };
  return create(HttpFilterSchema, { name, disabled, configType: { case: "configDiscovery", value } });
}

/** A filter that does nothing: Envoy's header mutation without a mutation. */
const nothing = packAny(HeaderMutationSchema, create(HeaderMutationSchema, { mutations: {} }));

const router: HttpFilter = create(HttpFilterSchema, {
  name: "envoy.filters.http.router",
  configType: { case: "typedConfig", value: packAny(RouterSchema, create(RouterSchema)) },
});
