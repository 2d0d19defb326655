import type { ResourceType } from "../resources/resource-types.ts";
import type { Resource, ResourceSet, Version } from "../resources/snapshot.ts";
import { LayeredMap } from "./layered-map.ts";
import { memo } from "./memo.ts";
import { NameSet } from "./name-set.ts";
import { newSubscription, type Subscription } from "./subscription.ts";

/** The two forms of the protocol: every response says everything, or only what changed. */
export type Variant = "sotw" | "delta";

/**
 * What the server knows of one resource type on one stream. Immutable, and free of whatever tells equal streams apart
 * (times, counters), so that streams that asked and were told the same share one object and what is worked out of it.
 *
 * Nothing is queued: an update is always the difference between what the client holds and the newest snapshot, so a
 * slow client costs no memory and gets the newest state when it is ready.
 */
export interface TypeStream {
  readonly type: ResourceType;
  readonly variant: Variant;
  readonly subscription: Subscription;
  /** By the name that the client knows it by, which is the resource's own or, where it asked for one, an alias. */
  readonly held: LayeredMap<string, Held>;
  /** What the client rejected on this stream, as `rejectionKey`: it is not sent again. */
  readonly rejected: NameSet;
  /** The response that the client has not answered yet. At most one. */
  readonly inFlight: InFlight | undefined;
  /** The nonce of the last response; empty before the first. */
  readonly lastNonce: string;
  /** True while a client that wants everything waits for a response even if there is nothing to put into it. */
  readonly owed: boolean;
  /** True while the client may go on with versions of an earlier stream that `held` cannot know. */
  readonly mayHoldEarlier: boolean;
  /** The set that `held` was last compared with. Undefined: with none, so that all names have to be looked at. */
  readonly level: ResourceSet | undefined;
  /** The names in which `held` may differ from `level`: with what `level` itself misses, all that have to be looked at. */
  readonly doubtful: NameSet;
}

/** What the client knows of one resource. */
export interface Held {
  /** The version last sent; `absent` when the client was told that there is none; `uncertain` when it is to be told again. */
  readonly sent: Version;
  /** What the client accepted last; absent before it did, and for versions of an earlier stream. */
  readonly accepted?: Resource;
  /** What the client may have taken of a response that it rejected for the sake of other resources. */
  readonly assumed?: Resource;
  /** What it rejected last, where it may go on with a version of an earlier stream. */
  readonly rejected?: Resource;
}

/** What a client goes on with where it rejects the newest version; undefined when nothing is known of that. */
export const lastGood = ({ accepted, assumed }: Held): Resource | undefined => assumed ?? accepted;

/** Stands for the version of a resource that does not exist. No content hash is empty. */
export const absent: Version = "";

/** What a client knows that was told of nothing by a name. */
export const toldAbsent: Held = { sent: absent };

/** Stands for whatever version the client holds of what is due to it, or was left undecided. No content hash is this. */
export const uncertain: Version = "?";

/** The same resource, to be sent again, or told of when it is deleted. */
export const doubted = (held: Held): Held => ({ ...held, sent: uncertain });

/** Names one version of one resource. */
export const rejectionKey = (name: string, version: Version): string => `${version} ${name}`;

/** True when the client rejected this version of what it knows by this name. */
export const rejects = ({ rejected }: TypeStream, name: string, version: Version): boolean =>
  rejected.size > 0 && rejected.has(rejectionKey(name, version));

/** What keys of rejections name. */
export function* rejectedVersions(keys: NameSet): Iterable<{ key: string; name: string; version: Version }> {
  for (const key of keys) {
    const end = key.indexOf(" ");
    yield { key, version: key.slice(0, end), name: key.slice(end + 1) };
  }
}

export interface InFlight {
  readonly nonce: string;
  readonly changed: readonly Resource[];
  /** What it says again only because leaving it out would delete it. */
  readonly kept: readonly Resource[];
  /** What the client waits for before it answers, as it was when this was sent. */
  readonly awaited: readonly Resource[];
  /** What the client knew before of the names that it was told are absent, in case it rejects the response. */
  readonly removed: ReadonlyMap<string, Held | undefined>;
}

const fresh = {
  sotw: memo((type: ResourceType) => freshTypeStream(type, "sotw")),
  delta: memo((type: ResourceType) => freshTypeStream(type, "delta")),
};

/** Before the client's first request of a type. */
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
    level: undefined,
    doubtful: NameSet.empty,
  };
}

/** True where a state-of-the-world response must repeat what did not change. */
export function sendsFullState({ variant, type }: TypeStream): boolean {
  return variant === "sotw" && type.fullState;
}

/** Delta can say that a name does not exist; state of the world only by leaving it out of a full response. */
export function tellsAbsence({ variant, type }: TypeStream): boolean {
  return variant === "delta" || type.fullState;
}

/** The names by which a client knows a resource: those that it asked for, and the resource's own under a wildcard. */
export function knownAs({ subscription }: TypeStream, { name, aliases }: Resource): readonly string[] {
  const { wildcard, names } = subscription;
  if (aliases === undefined) return wildcard || names.has(name) ? [name] : none;
  return [name, ...aliases].filter((each) => names.has(each) || (wildcard && each === name));
}

const none: readonly string[] = [];

/** What a client knows of a resource that it took in its newest version. */
export const taken = memo((resource: Resource): Held => ({ sent: resource.version, accepted: resource }));
