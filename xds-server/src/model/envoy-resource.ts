import { z } from "zod";
import { duration, durationMs, type Immutable, nodeGroupField, optional, required } from "./fields.ts";

/** The server sends each proxy a heartbeat at half of this interval. */
const ttl = duration.refine((text) => durationMs(text) >= 1000, { error: "must be at least one second", abort: true });

export const envoyResourceSchema = z
  .strictObject({
    nodeGroup: nodeGroupField,
    ttl: optional(
      ttl,
      'The time to live, such as "30s". A proxy removes the resource when it receives no heartbeat from the server for this long. When absent: no time limit.',
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
      "The resource as proto-JSON, with Envoy's field names in snake or camel case. Proxies know the resource by its own name field, not by the name of this document.",
    ),
  })
  .meta({ description: "Any Envoy v3 resource, for settings of Envoy that the other kinds do not cover." });

/** Any Envoy v3 resource as proto-JSON. Proxies know it by its own name field, not by the document's name. */
export type EnvoyResourceSpec = Immutable<z.infer<typeof envoyResourceSchema>>;
