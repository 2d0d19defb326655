import { create } from "@bufbuild/protobuf";
import {
  type ClusterLoadAssignment,
  ClusterLoadAssignmentSchema,
} from "xds-proto-ts/envoy/config/endpoint/v3/endpoint";
import type { Document } from "../model/document.ts";
import type { Endpoint } from "../model/endpoints.ts";
import { type Built, built } from "./built.ts";
import { socketAddress } from "./values.ts";

export const buildEndpoints = (document: Document<"Endpoints">): Built =>
  builtEndpoints(document, document.spec.endpoints);

/** The endpoints of an EDS cluster as a resource. */
export const builtEndpoints = (document: Document, endpoints: readonly Endpoint[]): Built =>
  built(document, "EDS", ClusterLoadAssignmentSchema, loadAssignment(document.name, endpoints));

function loadAssignment(clusterName: string, endpoints: readonly Endpoint[]): ClusterLoadAssignment {
  const lbEndpoints = endpoints.map(({ address, port, weight }) => ({
    hostIdentifier: { case: "endpoint" as const, value: { address: socketAddress(address, port) } },
    ...(weight === undefined ? {} : { loadBalancingWeight: weight }),
  }));
  return create(ClusterLoadAssignmentSchema, {
    clusterName,
    // gRPC clients ignore the endpoints of a locality without a weight. For Envoy this weight has no effect.
    endpoints:
      lbEndpoints.length === 0
        ? []
        : [{ locality: {}, loadBalancingWeight: 1, lbConfig: { case: undefined }, lbEndpoints }],
  });
}
