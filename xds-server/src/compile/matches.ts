import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  type HeaderMatcher,
  HeaderMatcherSchema,
  type QueryParameterMatcher,
  QueryParameterMatcherSchema,
  type RouteMatch,
  RouteMatchSchema,
} from "xds-proto-ts/envoy/config/route/v3/route_components";
import { type RegexMatcher, RegexMatcherSchema } from "xds-proto-ts/envoy/type/matcher/v3/regex";
import type { StringMatcherSchema } from "xds-proto-ts/envoy/type/matcher/v3/string";
import type { HeaderMatch, StringMatch } from "../model/http.ts";
import type { RouteEntry } from "../model/route.ts";

type Match = RouteEntry["match"];

/** The requests that a route matches. */
export function routeMatch(match: Match): RouteMatch {
  return create(RouteMatchSchema, {
    pathSpecifier: pathOf(match),
    headers: [...methodsOf(match), ...(match.headers ?? []).map(headerMatcher)],
    queryParameters: (match.query ?? []).map(queryMatcher),
  });
}

export const re2 = (regex: string): RegexMatcher =>
  create(RegexMatcherSchema, { engineType: { case: "googleRe2", value: {} }, regex });

function pathOf({ path, prefix, regex }: Match): RouteMatch["pathSpecifier"] {
  if (path !== undefined) return { case: "path", value: path };
  if (regex !== undefined) return { case: "safeRegex", value: re2(regex) };
  return { case: "prefix", value: prefix ?? "/" };
}

function methodsOf({ methods }: Match): readonly HeaderMatcher[] {
  const [first, ...others] = methods ?? [];
  if (first === undefined) return [];
  // The model allows only letters and dashes in methods, so that they need no quoting.
  const matcher = others.length === 0 ? { exact: first } : { regex: [first, ...others].join("|") };
  return [headerMatcher({ name: ":method", ...matcher })];
}

function headerMatcher({ name, invert = false, ...match }: HeaderMatch): HeaderMatcher {
  const { present } = match;
  return create(HeaderMatcherSchema, {
    name,
    invertMatch: invert,
    // An absent header matches no value, so an inverted condition also holds without the header.
    treatMissingHeaderAsEmpty: invert && present === undefined,
    headerMatchSpecifier:
      present === undefined
        ? { case: "stringMatch", value: stringMatcher(match) }
        : { case: "presentMatch", value: present },
  });
}

function queryMatcher({ name, ...match }: StringMatch): QueryParameterMatcher {
  const { present } = match;
  return create(QueryParameterMatcherSchema, {
    name,
    queryParameterMatchSpecifier:
      present === undefined
        ? { case: "stringMatch", value: stringMatcher(match) }
        : { case: "presentMatch", value: present },
  });
}

type Conditions = Omit<StringMatch, "name" | "present">;

/** The model ensures exactly one condition. */
function stringMatcher({
  exact,
  prefix,
  suffix,
  contains,
  regex,
}: Conditions): MessageInitShape<typeof StringMatcherSchema> {
  if (prefix !== undefined) return { matchPattern: { case: "prefix", value: prefix } };
  if (suffix !== undefined) return { matchPattern: { case: "suffix", value: suffix } };
  if (contains !== undefined) return { matchPattern: { case: "contains", value: contains } };
  if (regex !== undefined) return { matchPattern: { case: "safeRegex", value: re2(regex) } };
  return { matchPattern: { case: "exact", value: exact ?? "" } };
}
