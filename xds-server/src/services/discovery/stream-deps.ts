import type { Logger } from "pino";
import type { Variant } from "../../protocol/type-stream.ts";
import type { NodeStatus } from "../../proxy-status/node-status.ts";
import type { SnapshotCache } from "../../publishing/snapshot-cache.ts";
import type { ResourceType } from "../../resources/resource-types.ts";
import type { Limits } from "../limits.ts";
import type { NodeIdentity } from "../node-identity.ts";
import type { CountByName } from "./count-by-name.ts";
import type { FanOut } from "./fan-out.ts";
import type { ResponseWriter } from "./wire.ts";

export interface DiscoveryDeps {
  readonly cache: SnapshotCache;
  readonly statuses: NodeStatus;
  readonly limits: Limits;
  readonly nodeIdentity: NodeIdentity;
  /** `control_plane.identifier` of every response. */
  readonly identifier: string;
  readonly metrics: DiscoveryMetrics;
  /** The number of the first stream; later streams count up from it. */
  readonly firstStream: number;
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** The events that the streams count. */
export interface DiscoveryMetrics {
  /** A response of this type was sent. */
  pushed(shortName: string): void;
  /** A client NACKed a response of this type. */
  nacked(shortName: string): void;
  /** Streams of this variant opened (1) or closed (-1). */
  streams(variant: Variant, change: number): void;
}

export interface MethodOptions {
  readonly variant: Variant;
  /** The only type that the service serves; absent on an aggregated stream. */
  readonly onlyType: ResourceType | undefined;
}

/** The dependencies, and the state that all streams share. */
export interface SharedByStreams extends DiscoveryDeps {
  readonly publications: FanOut;
  readonly write: ResponseWriter;
  readonly streamsOfNodes: CountByName;
  /** The number of the next stream. */
  readonly nextId: () => number;
}
