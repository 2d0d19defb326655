import { z } from "zod";
import { duration, durationMs, type Immutable, nodeGroupField, optional, required } from "./fields.ts";

/** Half of it passes between two heartbeats, for each proxy. */
const ttl = duration.refine((text) => durationMs(text) >= 1000, { error: "must be at least one second", abort: true });

export const envoyResourceSchema = z
  .strictObject({
    nodeGroup: nodeGroupField,
    ttl: optional(
      ttl,
      'How long a proxy keeps the resource without hearing from the server, such as "30s": then it drops it. Absent: for ever.',
    ),
    resource: required(
      z.looseObject({
        "@type": required(
          z
            .string()
            .max(512)
            .regex(
              /^type\.googleapis\.com\/./,
              'must be a type such as "type.googleapis.com/envoy.config.cluster.v3.Cluster"',
            ),
          "The resource's type URL.",
        ),
      }),
      "The resource as proto-JSON, in Envoy's own words, snake or camel case. Its own name field names it.",
    ),
  })
  .meta({ description: "Any Envoy v3 resource, so that nothing Envoy can do is out of reach." });

/** Any Envoy v3 resource as proto-JSON. The resource's own name counts, not the document's. */
export type EnvoyResourceSpec = Immutable<z.infer<typeof envoyResourceSchema>>;
