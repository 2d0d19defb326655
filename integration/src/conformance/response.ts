import { anyUnpack, durationMs } from "@bufbuild/protobuf/wkt";
import {
  type DeltaDiscoveryResponse,
  type DiscoveryResponse,
  type Resource,
  ResourceSchema,
} from "xds-proto-ts/envoy/service/discovery/v3/discovery";
import { readResource, typeOf } from "./resources.ts";

/** A response of either variant. */
export interface Response {
  /** "CDS", or the type URL when the suite does not know the type. */
  readonly type: string;
  readonly nonce: string;
  /** The version of the whole type. */
  readonly version: string;
  readonly resources: readonly ReceivedResource[];
  /** The names in `removed_resources`. Always empty in state of the world. */
  readonly removed: readonly string[];
  /** `control_plane.identifier`. Empty when the server sent none. */
  readonly controlPlane: string;
}

export interface ReceivedResource {
  readonly name: string;
  /** The number in the resource. Absent when the resource was sent without content, as in a heartbeat. */
  readonly revision?: number;
  /** The resource's own version. Empty in state of the world, unless the resource is wrapped. */
  readonly version: string;
  readonly aliases: readonly string[];
  /** In milliseconds. Absent: the resource does not expire. */
  readonly ttlMs?: number;
}

export function fromSotw({ typeUrl, nonce, versionInfo, resources, controlPlane }: DiscoveryResponse): Response {
  return {
    type: typeOf(typeUrl),
    nonce,
    version: versionInfo,
    resources: resources.map((any) => {
      const wrapper = anyUnpack(any, ResourceSchema);
      return wrapper === undefined ? { ...readResource(any), version: "", aliases: [] } : wrapped(wrapper);
    }),
    removed: [],
    controlPlane: controlPlane?.identifier ?? "",
  };
}

export function fromDelta(response: DeltaDiscoveryResponse): Response {
  const { typeUrl, nonce, systemVersionInfo, resources, removedResources, controlPlane } = response;
  return {
    type: typeOf(typeUrl),
    nonce,
    version: systemVersionInfo,
    resources: resources.map(wrapped),
    removed: removedResources,
    controlPlane: controlPlane?.identifier ?? "",
  };
}

function wrapped({ name, version, aliases, resource, ttl }: Resource): ReceivedResource {
  return {
    ...(resource === undefined ? { name } : { name, revision: readResource(resource).revision }),
    version,
    aliases,
    ...(ttl === undefined ? {} : { ttlMs: durationMs(ttl) }),
  };
}

/**
 * The items of a response, sorted by name: "foo@1" for a resource, or "foo" for one without content. After them, "-foo" for
 * each removed name.
 */
export function itemsOf({ resources, removed }: Response): readonly string[] {
  const present = resources.map(({ name, revision }) => (revision === undefined ? name : `${name}@${revision}`)).sort();
  return [...present, ...[...removed].sort().map((name) => `-${name}`)];
}

/** The type and the items of a response: "EDS bar@2 foo@1 -gone". */
export function shown(response: Response): string {
  return [response.type, ...itemsOf(response)].join(" ");
}
