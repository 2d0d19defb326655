import type { ResourceType } from "../resources/resource-types.ts";
import type { Resource, ResourceSet, Version } from "../resources/snapshot.ts";
import { LayeredMap } from "./layered-map.ts";
import { memo } from "./memo.ts";
import { NameSet } from "./name-set.ts";
import { newSubscription, type Subscription } from "./subscription.ts";

/** The two variants of the protocol: state of the world, and delta (incremental). */
export type Variant = "sotw" | "delta";

/**
 * What the server knows of one resource type on one stream. Immutable. It holds no times or counters, so that streams with
 * equal requests and responses share one object and the results computed from it.
 *
 * Nothing is queued: an update is always the difference between what the client holds and the newest snapshot. So a slow
 * client costs no memory, and gets the newest state when it is ready.
 */
export interface TypeStream {
  readonly type: ResourceType;
  readonly variant: Variant;
  readonly subscription: Subscription;
  /** What the client knows, by the name that it uses: the resource's own, or an alias that it subscribed to. */
  readonly held: LayeredMap<string, Held>;
  /** The versions that the client rejected on this stream, as `rejectionKey`. They are not sent again. */
  readonly rejected: NameSet;
  /** The response that the client has not answered yet. There is never more than one. */
  readonly inFlight: InFlight | undefined;
  /** The nonce of the last response; empty before the first. */
  readonly lastNonce: string;
  /** True while a client with a wildcard waits for its first response, which is sent even when it is empty. */
  readonly owed: boolean;
  /** True while the client may hold versions from an earlier stream that `held` does not have. */
  readonly mayHoldEarlier: boolean;
  /** The set that `held` was last compared with. Undefined: none yet, so the next comparison covers all names. */
  readonly comparedWith: ResourceSet | undefined;
  /** Names whose state in `held` may differ from `comparedWith`. The next comparison covers these and the changes since. */
  readonly unsettled: NameSet;
}

/** What was sent to the client for one name, and what the client accepted or rejected of it. */
export interface Held {
  /** The version sent last. `absent`: its absence was reported. `uncertain`: the name is due again. */
  readonly sent: Version;
  /** The resource accepted last. Absent before the first ACK, and for an older version from an earlier stream. */
  readonly accepted?: Resource;
  /** A resource that the client may have accepted from a response that it rejected because of others. */
  readonly assumed?: Resource;
  /** The resource rejected last, where the client may still use a version from an earlier stream. */
  readonly rejected?: Resource;
}

/** The version that a client keeps when it rejects the newest one. Undefined when that is not known. */
export const lastGood = ({ accepted, assumed }: Held): Resource | undefined => assumed ?? accepted;

/** Stands for the version of a resource that does not exist. A content hash is never empty. */
export const absent: Version = "";

/** What a client knows of a name that was reported as absent. */
export const reportedAbsent: Held = { sent: absent };

/** Stands for the unknown version of a resource that is due again. A content hash is never "?". */
export const uncertain: Version = "?";

/** The same, but due again: the newest version is sent, or the deletion. */
export const dueAgain = (held: Held): Held => ({ ...held, sent: uncertain });

/** Identifies one version of one resource. */
export const rejectionKey = (name: string, version: Version): string => `${version} ${name}`;

/** True when the client rejected this version of the resource that it knows by this name. */
export const rejects = ({ rejected }: TypeStream, name: string, version: Version): boolean =>
  rejected.size > 0 && rejected.has(rejectionKey(name, version));

/** The names and versions in keys of `rejectionKey`. */
export function* rejectedVersions(keys: NameSet): Iterable<{ key: string; name: string; version: Version }> {
  for (const key of keys) {
    const end = key.indexOf(" ");
    yield { key, version: key.slice(0, end), name: key.slice(end + 1) };
  }
}

export interface InFlight {
  readonly nonce: string;
  readonly changed: readonly Resource[];
  /** Unchanged resources, repeated because the client deletes what a full response leaves out. */
  readonly kept: readonly Resource[];
  /** The resources that the client waits for before it answers, as they were when this was sent. */
  readonly awaited: readonly Resource[];
  /** By each name that this response reports as absent: what the client knew before. Needed when it rejects the response. */
  readonly removed: ReadonlyMap<string, Held | undefined>;
}

const fresh = {
  sotw: memo((type: ResourceType) => freshTypeStream(type, "sotw")),
  delta: memo((type: ResourceType) => freshTypeStream(type, "delta")),
};

/** The state before the client's first request of a type. */
export const newTypeStream = (type: ResourceType, variant: Variant): TypeStream => fresh[variant](type);

function freshTypeStream(type: ResourceType, variant: Variant): TypeStream {
  return {
    type,
    variant,
    subscription: newSubscription,
    held: LayeredMap.of(),
    rejected: NameSet.empty,
    inFlight: undefined,
    lastNonce: "",
    owed: false,
    mayHoldEarlier: false,
    comparedWith: undefined,
    unsettled: NameSet.empty,
  };
}

/** True where a response must repeat unchanged resources: in state of the world, for types with `fullState`. */
export function sendsFullState({ variant, type }: TypeStream): boolean {
  return variant === "sotw" && type.fullState;
}

/** Delta can report that a name does not exist. State of the world can do that only by leaving it out of a full response. */
export function canReportAbsence({ variant, type }: TypeStream): boolean {
  return variant === "delta" || type.fullState;
}

/** The names by which a client knows a resource: those that it subscribed to and, with a wildcard, the resource's own. */
export function knownAs({ subscription }: TypeStream, { name, aliases }: Resource): readonly string[] {
  const { wildcard, names } = subscription;
  if (aliases === undefined) return wildcard || names.has(name) ? [name] : none;
  return [name, ...aliases].filter((each) => names.has(each) || (wildcard && each === name));
}

const none: readonly string[] = [];

/** What a client knows of a resource after it accepts this version. */
export const heldAfterAck = memo((resource: Resource): Held => ({ sent: resource.version, accepted: resource }));
