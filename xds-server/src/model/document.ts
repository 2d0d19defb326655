import type { ClusterSpec } from "./cluster.ts";
import type { EndpointsSpec } from "./endpoints.ts";
import type { EnvoyResourceSpec } from "./envoy-resource.ts";
import type { FilterSpec } from "./filter.ts";
import type { ListenerSpec } from "./listener.ts";
import type { NodeGroupSpec } from "./node-group.ts";
import type { RouteSpec } from "./route.ts";

/**
 * The spec of each kind. A new kind needs a line here and a row in kinds.ts.
 * @public Inferred types elsewhere name it in their declarations.
 */
export interface Specs {
  readonly Cluster: ClusterSpec;
  readonly Endpoints: EndpointsSpec;
  readonly Route: RouteSpec;
  readonly Listener: ListenerSpec;
  readonly NodeGroup: NodeGroupSpec;
  readonly Filter: FilterSpec;
  readonly EnvoyResource: EnvoyResourceSpec;
}

export type Kind = keyof Specs;

/** One document that an operator wrote, parsed and checked against the schema of its kind. */
export interface Document<K extends Kind = Kind> {
  readonly kind: K;
  /** Unique within its kind. 1 to 253 characters. */
  readonly name: string;
  readonly spec: Specs[K];
}

/** Names one document. */
export interface DocumentKey {
  readonly kind: Kind;
  readonly name: string;
}
