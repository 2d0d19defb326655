import { z } from "zod";
import { distinct, type Immutable, ipAddress, nodeGroupField, optional, port, required } from "./fields.ts";

const endpointSchema = z
  .strictObject({
    address: required(ipAddress, "The IP address of the endpoint."),
    port: required(port, "The port of the endpoint."),
    weight: optional(z.int().min(1).max(10_000), "The endpoint's share of the requests, relative to the others.", 1),
  })
  .meta({ description: "One place where a cluster is served." });

export const endpointList = distinct(z.array(endpointSchema).max(50_000), ({ address, port }) => `${address}:${port}`);

export const endpointsSchema = z
  .strictObject({
    nodeGroup: nodeGroupField,
    endpoints: required(endpointList, "Where the cluster is served. Empty: requests to it are answered with 503."),
  })
  .meta({ description: "The endpoints of the Cluster of the same name, which must have `eds: {}`." });

/** One place where a cluster is served. */
export type Endpoint = Immutable<z.infer<typeof endpointSchema>>;

/** The endpoints of the Cluster of the same name, for clusters whose endpoints change on their own. */
export type EndpointsSpec = Immutable<z.infer<typeof endpointsSchema>>;
