import type { ResourceKey, TypeUrl } from "./resource-types.ts";

/** The hash of a resource's content, so that equal content has an equal version after a restart and on every replica. */
export type Version = string;

/** One xDS resource, encoded once when it changes. Immutable; streams share it. */
export interface Resource {
  readonly typeUrl: TypeUrl;
  readonly name: string;
  readonly version: Version;
  /** The encoded message, ready for `google.protobuf.Any.value`. */
  readonly body: Uint8Array;
  /**
   * Resources that a client waits for anew whenever it takes a new version of this one, so that they are sent again
   * though unchanged: Envoy warms a changed EDS cluster until its endpoints arrive.
   */
  readonly rewarms: readonly ResourceKey[];
  /** Other names that a client may ask for it by (xDS protocol, "Aliases"). Absent where its type has none. */
  readonly aliases?: readonly string[];
  /** How long a client holds it without hearing of it again, in milliseconds. Absent: until it is removed. */
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
