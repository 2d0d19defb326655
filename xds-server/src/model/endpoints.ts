import { z } from "zod";
import { distinct, type Immutable, ipAddress, nodeGroupField, optional, port, required } from "./fields.ts";

const endpointSchema = z
  .strictObject({
    address: required(ipAddress, "The IP address of the endpoint."),
    port: required(port, "The port of the endpoint."),
    weight: optional(
      z.int().min(1).max(10_000),
      "The endpoint's share of the requests, relative to the other endpoints.",
      1,
    ),
  })
  .meta({ description: "One address that serves a cluster." });

export const endpointList = distinct(z.array(endpointSchema).max(50_000), ({ address, port }) => `${address}:${port}`);

export const endpointsSchema = z
  .strictObject({
    nodeGroup: nodeGroupField,
    endpoints: required(
      endpointList,
      "The endpoints of the cluster. If the list is empty, the proxy answers requests to the cluster with 503.",
    ),
  })
  .meta({ description: "The endpoints of the Cluster of the same name, which must have `eds: {}`." });

/** One address that serves a cluster. */
export type Endpoint = Immutable<z.infer<typeof endpointSchema>>;

/** The endpoints of the Cluster of the same name, for clusters whose endpoints change independently of the cluster. */
export type EndpointsSpec = Immutable<z.infer<typeof endpointsSchema>>;
