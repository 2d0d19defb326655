import type { TypeUrl } from "../resources/resource-types.ts";
import type { Snapshot, Version } from "../resources/snapshot.ts";
import type { LayeredMap } from "./layered-map.ts";
import type { TypeStream, Variant } from "./type-stream.ts";

/** One client's stream: a pure state machine. Requests, snapshots and the time go in, responses come out. */
export interface Stream {
  readonly variant: Variant;
  readonly snapshot: Snapshot;
  /** Streams in the same state share this object. */
  readonly types: TypeStreams;
  /** When the last response of a type was sent, in milliseconds since the epoch. */
  readonly sentAt: ReadonlyMap<TypeUrl, number>;
  /** When the next heartbeat of a type is due, in milliseconds since the epoch; absent where the client needs none. */
  readonly heartbeatAt: ReadonlyMap<TypeUrl, number>;
  /** False when the client does not support a time to live. Then it needs no heartbeat. */
  readonly knowsTtl: boolean;
  /** Why the client rejected each version, by type and `rejectionKey`. */
  readonly rejections: LayeredMap<string, Rejection>;
  readonly limits: StreamLimits;
}

export type TypeStreams = ReadonlyMap<TypeUrl, TypeStream>;

export interface StreamLimits {
  /**
   * The maximum time that a change waits for the answer to another type, in milliseconds. New routes wait for their
   * clusters, and removed clusters wait for the routes that used them.
   */
  readonly holdLimitMs: number;
  /** The same while the other type has changes that cannot be sent yet, because its last response is not answered. */
  readonly unsentHoldLimitMs: number;
  /**
   * The maximum number of rejected versions of a type that are remembered, so that they are not sent again. The oldest
   * are forgotten first.
   */
  readonly maxRejections: number;
}

export interface Rejection {
  readonly version: Version;
  /** The error detail of the client's NACK. */
  readonly reason: string;
  /** The number of resources rejected together when the reason names none of them. Any of them may be at fault. */
  readonly suspects?: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
}
