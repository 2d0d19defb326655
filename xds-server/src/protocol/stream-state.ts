import type { TypeUrl } from "../resources/resource-types.ts";
import type { Snapshot, Version } from "../resources/snapshot.ts";
import type { LayeredMap } from "./layered-map.ts";
import type { TypeStream, Variant } from "./type-stream.ts";

/** One client's stream: a pure state machine. Requests, snapshots and the time go in, responses come out. */
export interface Stream {
  readonly variant: Variant;
  readonly snapshot: Snapshot;
  /** The same object for all streams that were told the same. */
  readonly types: TypeStreams;
  /** When the last response of a type was sent, in milliseconds since the epoch. */
  readonly sentAt: ReadonlyMap<TypeUrl, number>;
  /** When the next heartbeat of a type is due, in milliseconds since the epoch; absent where the client needs none. */
  readonly heartbeatAt: ReadonlyMap<TypeUrl, number>;
  /** False when the client knows of no time to live, so that it needs no heartbeat. */
  readonly knowsTtl: boolean;
  /** Why what was rejected was, by type and `rejectionKey`. */
  readonly rejections: LayeredMap<string, Rejection>;
  readonly limits: StreamLimits;
}

export type TypeStreams = ReadonlyMap<TypeUrl, TypeStream>;

export interface StreamLimits {
  /**
   * How long something may wait for another type's answer, in milliseconds: new routes for their clusters, removed
   * clusters for the routes that used them.
   */
  readonly holdLimitMs: number;
  /** The same where the other type has changes that could not even be sent, because its answer is owed, in milliseconds. */
  readonly unsentHoldLimitMs: number;
  /** How many rejected versions of a type are remembered, so that they are not sent again. The oldest are forgotten first. */
  readonly maxRejections: number;
}

export interface Rejection {
  readonly version: Version;
  /** The client's own words. */
  readonly reason: string;
  /** How many resources are rejected together, where the reason names none of them: each may be the one at fault. */
  readonly suspects?: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
}
