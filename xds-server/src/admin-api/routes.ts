// This file has no imports. The command line uses these URLs and must not load the schemas.

/** The method and URL of each operation of the admin API. `:name` is a parameter. operations.ts has the schemas. */
export const routes = {
  documents: { method: "GET", url: "/api/v1/:plural" },
  document: { method: "GET", url: "/api/v1/:plural/:name" },
  putDocument: { method: "PUT", url: "/api/v1/:plural/:name" },
  deleteDocument: { method: "DELETE", url: "/api/v1/:plural/:name" },
  apply: { method: "POST", url: "/api/v1/apply" },
  mesh: { method: "GET", url: "/api/v1/mesh" },
  putMesh: { method: "PUT", url: "/api/v1/mesh" },
  revisions: { method: "GET", url: "/api/v1/revisions" },
  revisionDiff: { method: "GET", url: "/api/v1/revisions/diff" },
  revision: { method: "GET", url: "/api/v1/revisions/:revision" },
  restore: { method: "POST", url: "/api/v1/revisions/:revision/restore" },
  proxies: { method: "GET", url: "/api/v1/proxies" },
  proxy: { method: "GET", url: "/api/v1/proxies/:nodeId" },
  proxyConfig: { method: "GET", url: "/api/v1/proxies/:nodeId/config" },
  load: { method: "GET", url: "/api/v1/load" },
  allFilterVersions: { method: "GET", url: "/api/v1/filter-versions" },
  filterStatuses: { method: "GET", url: "/api/v1/filter-status" },
  filterVersions: { method: "GET", url: "/api/v1/filters/:name/versions" },
  pushFilter: { method: "POST", url: "/api/v1/filters/:name/versions" },
  rollbackFilter: { method: "POST", url: "/api/v1/filters/:name/rollback" },
  putSourceMap: { method: "PUT", url: "/api/v1/filters/:name/versions/:version/source-map" },
  locateTrap: { method: "POST", url: "/api/v1/filters/:name/versions/:version/locate" },
} as const;

export type RouteName = keyof typeof routes;

/** The names of the parameters of a URL, such as "name" | "version". */
export type ParamOf<Url extends string> = Url extends `${string}:${infer Name}/${infer Rest}`
  ? Name | ParamOf<`/${Rest}`>
  : Url extends `${string}:${infer Name}`
    ? Name
    : never;

/** Fills in the parameters of a URL, percent-encoded. */
export function pathOf(url: string, params: Readonly<Record<string, string>>): string {
  return url.replaceAll(/:(\w+)/g, (_whole, name: string) => encodeURIComponent(params[name] ?? ""));
}

/** The route for documents of one kind, such as "/api/v1/clusters/:name". */
export function ofKind<Method, Url extends string>(
  route: { readonly method: Method; readonly url: Url },
  plural: string,
) {
  return { ...route, url: route.url.replace(":plural", plural) as WithoutPlural<Url> };
}

type WithoutPlural<Url extends string> = Url extends `${infer Before}:plural${infer After}` ? `${Before}${After}` : Url;
