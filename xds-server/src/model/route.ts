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
  optional,
  port,
  positiveDuration,
  required,
  weight,
} from "./fields.ts";
import { headerEditsSchema, headerMatchSchema, queryMatchSchema, regex } from "./http.ts";

/** What holds where a Route is silent. */
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
  .regex(/^\/[!-~]*$/, 'must start with "/" and hold no spaces; others than ASCII are written %XX')
  .regex(/^[^?#]*$/, 'must not hold "?" or "#": a query is matched by "query"');

const matchSchema = atMostOneOf(
  z.strictObject({
    path: optional(path, "The whole path, without the query."),
    prefix: optional(path, "How the path begins: `/cart` matches `/cart`, `/cart/1` and `/cartoon`."),
    regex: optional(regex, "An RE2 expression that the whole path matches, without the query."),
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
      "Methods, of which one must match. Any when absent.",
    ),
    headers: optional(z.array(headerMatchSchema).max(64), "Conditions on headers, all of which must hold."),
    query: optional(z.array(queryMatchSchema).max(64), "Conditions on query parameters, all of which must hold."),
  }),
  ["path", "prefix", "regex"],
).meta({ description: "Which requests a route takes. Without path, prefix and regex: any path." });

const weightedClusters = distinct(
  z
    .array(
      z.strictObject({
        name: required(documentName, "The cluster."),
        weight: required(weight, "Its share of the requests, relative to the others. 0: none."),
      }),
    )
    .min(1)
    .max(100),
  ({ name }) => name,
).refine((clusters) => clusters.some((cluster) => cluster.weight > 0), {
  ...fault("ROUTE_ZERO_WEIGHT", "must have weights that add up to more than 0, or no cluster gets a request"),
});

const redirectSchema = atMostOneOf(
  z.strictObject({
    scheme: optional(z.enum(["http", "https"]), "The new scheme. The same when absent."),
    host: optional(hostname, "The new host. The same when absent."),
    port: optional(port, "The new port. The same when absent."),
    path: optional(path, "The new path, whole."),
    prefix: optional(path, "What stands in place of the part of the path that `match` matched."),
    status: optional(
      z.literal([301, 302, 303, 307, 308]),
      "The status. 307 and 308 keep the method.",
      routeDefaults.redirectStatus,
    ),
  }),
  ["path", "prefix"],
)
  .refine(({ status: _, ...target }) => Object.values(target).some((part) => part !== undefined), {
    ...fault("FIELD_MISSING", "must change something: give scheme, host, port, path or prefix"),
  })
  .meta({ description: "Send the client elsewhere." });

const directResponseSchema = z
  .strictObject({
    status: required(z.int().min(200).max(599), "The status."),
    body: optional(
      z.string().refine((body) => new TextEncoder().encode(body).length <= maxBodyBytes, {
        ...fault("FIELD_VALUE", `must be at most ${maxBodyBytes} bytes`),
      }),
      `The body, at most ${maxBodyBytes} bytes. Empty when absent.`,
    ),
  })
  .meta({ description: "Answer without any upstream." });

const rewriteSchema = atMostOneOf(
  z.strictObject({
    prefix: optional(path, "What stands in place of the part of the path that `match` matched."),
    path: optional(path, "What stands in place of the whole path. The query stays."),
    regex: optional(
      z.strictObject({
        pattern: required(regex, "An RE2 expression; every match in the path is replaced."),
        substitution: required(z.string().max(4096), "The replacement. `\\1` is the first group."),
      }),
      "Replacement within the path, without the query.",
    ),
    host: optional(hostname, "The host that the upstream sees."),
  }),
  ["prefix", "path", "regex"],
).meta({ description: "What the upstream sees instead of what the client sent." });

/** Envoy's `retry_on` conditions, those of HTTP and those of gRPC, that need no further settings. */
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
    on: required(distinct(z.array(z.enum(retryConditions)).min(1)), "What makes a request be tried again."),
    attempts: optional(z.int().min(1).max(10), "How often at most.", routeDefaults.retryAttempts),
    perTryTimeout: optional(positiveDuration, "How long each try may take. As long as `timeout` when absent."),
  })
  .meta({ description: "Trying again. The route's timeout bounds all tries together." });

const forwardOnly = ["rewrite", "timeout", "retry"] as const;

const routeEntrySchema = exactlyOneOf(
  z.strictObject({
    match: required(matchSchema, "Which requests this takes. The first route that matches takes a request."),
    cluster: optional(documentName, "Send to this cluster."),
    clusters: optional(weightedClusters, "Send to these clusters, by weight."),
    redirect: optional(redirectSchema, "Send the client elsewhere."),
    directResponse: optional(directResponseSchema, "Answer without any upstream."),
    rewrite: optional(rewriteSchema, "What the upstream sees instead of what the client sent."),
    requestHeaders: optional(headerEditsSchema, "Changes to the request's headers."),
    responseHeaders: optional(headerEditsSchema, "Changes to the response's headers."),
    timeout: optional(
      duration,
      "How long the upstream may take for the whole response. `0s` switches it off.",
      routeDefaults.timeout,
    ),
    retry: optional(retrySchema, "Trying again. No retries when absent."),
  }),
  ["cluster", "clusters", "redirect", "directResponse"],
).superRefine((entry, context) => {
  if (entry.cluster !== undefined || entry.clusters !== undefined) return;
  for (const key of forwardOnly) {
    if (entry[key] === undefined) continue;
    context.addIssue({
      code: "custom",
      path: [key],
      message: 'has no meaning without "cluster" or "clusters"',
      params: { code: "FIELD_CONFLICT" },
      input: entry[key],
    });
  }
});

export const routeSchema = z
  .strictObject({
    hosts: required(
      distinct(z.array(host).min(1).max(1000), (name) => name.toLowerCase()),
      'Hosts that this serves: a name, "*.example.com", "shop.*" or "*". Ports in a request\'s host are ignored. The most exact host takes a request.',
    ),
    routes: required(z.array(routeEntrySchema).min(1).max(10_000), "Tried in this order."),
  })
  .meta({
    description:
      "What becomes of requests to some hosts: one of Envoy's virtual hosts. Listeners name the Routes that they serve.",
  });

/** What becomes of requests to some hosts: one of Envoy's virtual hosts. Listeners name the Routes that they serve. */
export type RouteSpec = Immutable<z.infer<typeof routeSchema>>;

export type RouteEntry = RouteSpec["routes"][number];
