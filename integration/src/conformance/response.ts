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
  /** "CDS", or the type URL where it is none of the suite's. */
  readonly type: string;
  readonly nonce: string;
  /** The version of the whole type. */
  readonly version: string;
  readonly resources: readonly ReceivedResource[];
  /** The names in `removed_resources`; always empty in state of the world. */
  readonly removed: readonly string[];
  /** `control_plane.identifier`; empty where the server does not say who it is. */
  readonly controlPlane: string;
}

export interface ReceivedResource {
  readonly name: string;
  /** Absent where only the resource's name was sent, and what else is said of it. */
  readonly revision?: number;
  /** The resource's own version; empty in state of the world, which has none unless it wraps the resource. */
  readonly version: string;
  readonly aliases: readonly string[];
  /** Absent: for ever. */
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

/** What a response says of each name, in the order of names: "bar@2", "foo@1", "-gone", "name" without its content. */
export function itemsOf({ resources, removed }: Response): readonly string[] {
  const present = resources.map(({ name, revision }) => (revision === undefined ? name : `${name}@${revision}`)).sort();
  return [...present, ...[...removed].sort().map((name) => `-${name}`)];
}

/** What a response says, in short: "EDS bar@2 foo@1 -gone". */
export function shown(response: Response): string {
  return [response.type, ...itemsOf(response)].join(" ");
}
