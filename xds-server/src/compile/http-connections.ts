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

/** How a listener speaks HTTP. The filters are in the order in which they run. */
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
 * A filter that comes by ECDS. The listener takes no requests before it has the filter. A required one has no default, so
 * that none passes without it. What stands for an optional one that the proxy cannot load does nothing.
 */
function discoveredFilter(use: FilterUse): HttpFilter {
  const filter = use.slice(use.indexOf(" ") + 1);
  // Routes turn it on for their share of the requests.
  const disabled = use.startsWith("canary ");
  const name = disabled ? canaryResourceName(filter) : filterResourceName(filter);
  const isOptional = use.startsWith("optional ");
  const typeUrls = isOptional ? [wasmTypeUrl, nothing.typeUrl] : [wasmTypeUrl];
  const value = { configSource: fromAds, typeUrls, ...(isOptional ? { defaultConfig: nothing } : {}) };
  return create(HttpFilterSchema, { name, disabled, configType: { case: "configDiscovery", value } });
}

/** The filter that changes headers, with no change to make. */
const nothing = packAny(HeaderMutationSchema, create(HeaderMutationSchema, { mutations: {} }));

const router: HttpFilter = create(HttpFilterSchema, {
  name: "envoy.filters.http.router",
  configType: { case: "typedConfig", value: packAny(RouterSchema, create(RouterSchema)) },
});
