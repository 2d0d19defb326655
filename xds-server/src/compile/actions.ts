import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  HeaderValueOption_HeaderAppendAction as Append,
  type HeaderValueOptionSchema,
} from "xds-proto-ts/envoy/config/core/v3/base";
import {
  type RedirectActionSchema,
  RedirectAction_RedirectResponseCode as RedirectCode,
  type Route,
  type RouteActionSchema,
  RouteSchema,
} from "xds-proto-ts/envoy/config/route/v3/route_components";
import type { HeaderEdits } from "../model/http.ts";
import { type RouteEntry, routeDefaults } from "../model/route.ts";
import { re2, routeMatch } from "./matches.ts";
import { durationOf, sortedEntries } from "./values.ts";

/** One route: the requests that it matches, and the action on them. */
export function routeEntry(name: string, entry: RouteEntry): Route {
  const { requestHeaders = {}, responseHeaders = {} } = entry;
  return create(RouteSchema, {
    name,
    match: routeMatch(entry.match),
    action: actionOf(entry),
    requestHeadersToAdd: headersToAdd(requestHeaders),
    requestHeadersToRemove: [...(requestHeaders.remove ?? [])],
    responseHeadersToAdd: headersToAdd(responseHeaders),
    responseHeadersToRemove: [...(responseHeaders.remove ?? [])],
  });
}

function actionOf(entry: RouteEntry): NonNullable<MessageInitShape<typeof RouteSchema>["action"]> {
  const { redirect, directResponse } = entry;
  if (redirect !== undefined) return { case: "redirect", value: redirectAction(redirect) };
  if (directResponse === undefined) return { case: "route", value: forwardAction(entry) };
  const { status, body } = directResponse;
  return {
    case: "directResponse",
    value: { status, ...(body === undefined ? {} : { body: { specifier: { case: "inlineString", value: body } } }) },
  };
}

const redirectCodes = {
  301: RedirectCode.MOVED_PERMANENTLY,
  302: RedirectCode.FOUND,
  303: RedirectCode.SEE_OTHER,
  307: RedirectCode.TEMPORARY_REDIRECT,
  308: RedirectCode.PERMANENT_REDIRECT,
} as const;

function redirectAction(redirect: NonNullable<RouteEntry["redirect"]>): MessageInitShape<typeof RedirectActionSchema> {
  const { scheme, host, port, path, prefix, status = routeDefaults.redirectStatus } = redirect;
  return {
    responseCode: redirectCodes[status],
    ...(scheme === undefined ? {} : { schemeRewriteSpecifier: { case: "schemeRedirect", value: scheme } }),
    ...(host === undefined ? {} : { hostRedirect: host }),
    ...(port === undefined ? {} : { portRedirect: port }),
    ...(path === undefined ? {} : { pathRewriteSpecifier: { case: "pathRedirect", value: path } }),
    ...(prefix === undefined ? {} : { pathRewriteSpecifier: { case: "prefixRewrite", value: prefix } }),
  };
}

function forwardAction(entry: RouteEntry): MessageInitShape<typeof RouteActionSchema> {
  const { cluster, clusters = [], retry, timeout = routeDefaults.timeout } = entry;
  return {
    clusterSpecifier:
      cluster === undefined
        ? { case: "weightedClusters", value: { clusters: clusters.map(({ name, weight }) => ({ name, weight })) } }
        : { case: "cluster", value: cluster },
    timeout: durationOf(timeout),
    ...rewriteOf(entry),
    ...(retry === undefined
      ? {}
      : {
          retryPolicy: {
            retryOn: retry.on.join(","),
            numRetries: retry.attempts ?? routeDefaults.retryAttempts,
            ...(retry.perTryTimeout === undefined ? {} : { perTryTimeout: durationOf(retry.perTryTimeout) }),
          },
        }),
  };
}

type Rewrite = Pick<
  MessageInitShape<typeof RouteActionSchema>,
  "prefixRewrite" | "regexRewrite" | "hostRewriteSpecifier"
>;

function rewriteOf({ rewrite = {} }: RouteEntry): Rewrite {
  const { prefix, path, regex, host } = rewrite;
  return {
    ...(prefix === undefined ? {} : { prefixRewrite: prefix }),
    // Replaces one match of the whole path. A backslash is doubled, because it would refer to a group.
    ...(path === undefined
      ? {}
      : { regexRewrite: { pattern: re2("^.+$"), substitution: path.replaceAll("\\", "\\\\") } }),
    ...(regex === undefined ? {} : { regexRewrite: { pattern: re2(regex.pattern), substitution: regex.substitution } }),
    ...(host === undefined ? {} : { hostRewriteSpecifier: { case: "hostRewriteLiteral", value: host } }),
  };
}

function headersToAdd({ set = {}, add = {} }: HeaderEdits): MessageInitShape<typeof HeaderValueOptionSchema>[] {
  const options = (headers: Readonly<Record<string, string>>, appendAction: Append) =>
    sortedEntries(headers).map(([key, value]) => ({ header: { key, value }, appendAction }));
  return [...options(set, Append.OVERWRITE_IF_EXISTS_OR_ADD), ...options(add, Append.APPEND_IF_EXISTS_OR_ADD)];
}
