import { z } from "zod";
import {
  atMostOneOf,
  distinct,
  documentName,
  duration,
  exactlyOneOf,
  fault,
  hostname,
  type Immutable,
  issue,
  optional,
  port,
  positiveDuration,
  required,
  weight,
} from "./fields.ts";
import { headerEditsSchema, headerMatchSchema, queryMatchSchema, regex } from "./http.ts";

/** The values of the fields that a Route leaves out. */
export const routeDefaults = { timeout: "15s", redirectStatus: 301, retryAttempts: 2 } as const;

/** Envoy's own limit (`max_direct_response_body_size_bytes`). */
const maxBodyBytes = 4096;

const host = z
  .string()
  .min(1)
  .max(253)
  .regex(
    /^(?:\*|\*?[A-Za-z0-9_.-]+|[A-Za-z0-9_.-]+\*|\[[0-9A-Fa-f:.]+\])$/,
    'must be "*", a host name without a port, "*.example.com" or "shop.*"',
  );

const path = z
  .string()
  .min(1)
  .max(8192)
  .regex(
    /^\/[!-~]*$/,
    'must start with "/" and contain only printable ASCII without spaces: percent-encode other characters',
  )
  .regex(/^[^?#]*$/, 'must not contain "?" or "#": match the query with "query"');

const matchSchema = atMostOneOf(
  z.strictObject({
    path: optional(path, "The path, without the query, equals this text."),
    prefix: optional(path, "The path begins with this text: `/cart` matches `/cart`, `/cart/1` and `/cartoon`."),
    regex: optional(regex, "The whole path, without the query, matches this RE2 expression."),
    methods: optional(
      distinct(
        z
          .array(
            z
              .string()
              .max(32)
              .regex(/^[A-Z]+(?:-[A-Z]+)*$/, 'must be a method such as "GET"'),
          )
          .min(1)
          .max(32),
      ),
      "The request's method is one of these. When absent: any method.",
    ),
    headers: optional(z.array(headerMatchSchema).max(64), "Conditions on headers. All of them must hold."),
    query: optional(z.array(queryMatchSchema).max(64), "Conditions on query parameters. All of them must hold."),
  }),
  ["path", "prefix", "regex"],
).meta({ description: "The requests that a route matches. Without `path`, `prefix` and `regex`: any path." });

const weightedClusters = distinct(
  z
    .array(
      z.strictObject({
        name: required(documentName, "The name of the cluster."),
        weight: required(
          weight,
          "The cluster's share of the requests, relative to the other clusters. 0: the cluster gets no requests.",
        ),
      }),
    )
    .min(1)
    .max(100),
  ({ name }) => name,
).refine((clusters) => clusters.some((cluster) => cluster.weight > 0), {
  ...fault("ROUTE_ZERO_WEIGHT", "must have at least one weight above 0, or no cluster gets a request"),
});

const redirectSchema = atMostOneOf(
  z.strictObject({
    scheme: optional(z.enum(["http", "https"]), "The new scheme. When absent: unchanged."),
    host: optional(hostname, "The new host. When absent: unchanged."),
    port: optional(port, "The new port. When absent: unchanged."),
    path: optional(path, "The new path. It replaces the whole path."),
    prefix: optional(path, "The new prefix. It replaces the part of the path that `match` matched."),
    status: optional(
      z.literal([301, 302, 303, 307, 308]),
      "The status of the response. 307 and 308 keep the method.",
      routeDefaults.redirectStatus,
    ),
  }),
  ["path", "prefix"],
)
  .refine(({ status: _, ...target }) => Object.values(target).some((part) => part !== undefined), {
    ...fault("FIELD_MISSING", "must change something: set scheme, host, port, path or prefix"),
  })
  .meta({ description: "A redirect of the client to another URL." });

const directResponseSchema = z
  .strictObject({
    status: required(z.int().min(200).max(599), "The status of the response."),
    body: optional(
      z.string().refine((body) => new TextEncoder().encode(body).length <= maxBodyBytes, {
        ...fault("FIELD_VALUE", `must be at most ${maxBodyBytes} bytes`),
      }),
      `The body of the response, at most ${maxBodyBytes} bytes. When absent: empty.`,
    ),
  })
  .meta({ description: "A response from the proxy itself, without an upstream." });

const rewriteSchema = atMostOneOf(
  z.strictObject({
    prefix: optional(path, "The new prefix. It replaces the part of the path that `match` matched."),
    path: optional(path, "The new path. It replaces the whole path. The query stays."),
    regex: optional(
      z.strictObject({
        pattern: required(regex, "An RE2 expression. Every match in the path is replaced."),
        substitution: required(z.string().max(4096), "The replacement. `\\1` stands for the first group."),
      }),
      "Replaces parts of the path by a regular expression. The query stays.",
    ),
    host: optional(hostname, "The new host."),
  }),
  ["prefix", "path", "regex"],
).meta({ description: "Changes to the request before the proxy sends it to the upstream." });

/** Envoy's `retry_on` conditions for HTTP and gRPC that need no further settings. */
const retryConditions = [
  "5xx",
  "gateway-error",
  "reset",
  "reset-before-request",
  "connect-failure",
  "envoy-ratelimited",
  "retriable-4xx",
  "refused-stream",
  "cancelled",
  "deadline-exceeded",
  "internal",
  "resource-exhausted",
  "unavailable",
] as const;

const retrySchema = z
  .strictObject({
    on: required(distinct(z.array(z.enum(retryConditions)).min(1)), "The conditions for a retry."),
    attempts: optional(z.int().min(1).max(10), "The maximum number of retries.", routeDefaults.retryAttempts),
    perTryTimeout: optional(positiveDuration, "The maximum time for each try. When absent: `timeout`."),
  })
  .meta({ description: "Retries of failed requests. The route's timeout limits all tries together." });

const forwardOnly = ["rewrite", "timeout", "retry"] as const;

const routeEntrySchema = exactlyOneOf(
  z.strictObject({
    match: required(
      matchSchema,
      "The requests that this route matches. The first route in the list that matches a request handles it.",
    ),
    cluster: optional(documentName, "The name of the cluster to send requests to."),
    clusters: optional(weightedClusters, "The clusters to send requests to, by weight."),
    redirect: optional(redirectSchema, "Redirect the client to another URL."),
    directResponse: optional(directResponseSchema, "Respond from the proxy itself, without an upstream."),
    rewrite: optional(rewriteSchema, "Changes to the request before the proxy sends it to the upstream."),
    requestHeaders: optional(headerEditsSchema, "Changes to the request's headers."),
    responseHeaders: optional(headerEditsSchema, "Changes to the response's headers."),
    timeout: optional(
      duration,
      "The maximum time for the upstream to send the whole response. `0s`: no limit.",
      routeDefaults.timeout,
    ),
    retry: optional(retrySchema, "Retries of failed requests. When absent: no retries."),
  }),
  ["cluster", "clusters", "redirect", "directResponse"],
).superRefine((entry, context) => {
  if (entry.cluster !== undefined || entry.clusters !== undefined) return;
  for (const key of forwardOnly) {
    if (entry[key] === undefined) continue;
    context.addIssue({
      code: "custom",
      path: [key],
      ...issue("FIELD_CONFLICT", 'has no meaning without "cluster" or "clusters"'),
      input: entry[key],
    });
  }
});

export const routeSchema = z
  .strictObject({
    hosts: required(
      distinct(z.array(host).min(1).max(1000), (name) => name.toLowerCase()),
      'The hosts that this Route serves: a name, "*.example.com", "shop.*" or "*". Ports in a request\'s host are ignored. The most specific host that matches a request wins.',
    ),
    routes: required(
      z.array(routeEntrySchema).min(1).max(10_000),
      "The routes. The proxy uses the first one that matches the request.",
    ),
  })
  .meta({
    description:
      "The routing of requests to some hosts: one of Envoy's virtual hosts. A Listener lists the Routes that it serves.",
  });

/** The routing of requests to some hosts: one of Envoy's virtual hosts. A Listener lists the Routes that it serves. */
export type RouteSpec = Immutable<z.infer<typeof routeSchema>>;

export type RouteEntry = RouteSpec["routes"][number];
