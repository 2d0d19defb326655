import type { ResourceKey, TypeUrl } from "./resource-types.ts";

/** The hash of a resource's content. Equal content has an equal version, also after a restart and on every replica. */
export type Version = string;

/** One xDS resource, encoded when it changes. Immutable, and shared by all streams. */
export interface Resource {
  readonly typeUrl: TypeUrl;
  readonly name: string;
  readonly version: Version;
  /** The encoded message, ready for `google.protobuf.Any.value`. */
  readonly body: Uint8Array;
  /**
   * Resources that a client waits for each time it gets a new version of this one. They are sent again, even if they are
   * unchanged: Envoy warms a changed EDS cluster until its endpoints arrive.
   */
  readonly rewarms: readonly ResourceKey[];
  /** Other names by which a client may subscribe to it (xDS protocol, "Aliases"). Absent when its type has no aliases. */
  readonly aliases?: readonly string[];
  /** The time after which a client drops the resource unless it is renewed, in milliseconds. Absent: the client keeps it. */
  readonly ttlMs?: number;
}

export type ResourceSet = ReadonlyMap<string, Resource>;

/** Everything that the proxies of one node group should hold. Immutable: a change makes a new snapshot. */
export interface Snapshot {
  readonly resources: ReadonlyMap<TypeUrl, ResourceSet>;
}

export const emptySnapshot: Snapshot = { resources: new Map() };

const noResources: ResourceSet = new Map();

export function resourcesOf(snapshot: Snapshot, typeUrl: TypeUrl): ResourceSet {
  return snapshot.resources.get(typeUrl) ?? noResources;
}
