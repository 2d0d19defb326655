import type { ResourceStatus, StreamStatus, SyncState, TypeStatus } from "../cache/proxy-status.ts";
import type { Stream } from "../protocol/stream.ts";
import { wants } from "../protocol/subscription.ts";
import { absent, type Held, type Refusal, type TypeStream } from "../protocol/type-stream.ts";
import { type Resource, type ResourceSet, resourcesOf } from "../resources/snapshot.ts";

/** What a stream's state means to an operator. */
export function streamStatus(
  stream: Stream,
  about: { readonly id: number; readonly peer: string; readonly openedAt: number },
): StreamStatus {
  const types = [...stream.types.values()].map((type) =>
    typeStatus(type, resourcesOf(stream.snapshot, type.type.typeUrl)),
  );
  return { ...about, variant: stream.variant, types };
}

function typeStatus(stream: TypeStream, available: ResourceSet): TypeStatus {
  const { subscription, held, type } = stream;
  const wanted = [...available.keys()].filter((name) => wants(subscription, name));
  const names = [...new Set([...wanted, ...subscription.names, ...held.keys()])].sort();
  const inFlight = new Set(stream.inFlight?.changed.map(({ name }) => name));
  const resources = names.map((name) => resourceStatus(stream, name, available.get(name), inFlight.has(name)));
  const nothingSentYet = stream.owed;
  return {
    typeUrl: type.typeUrl,
    shortName: type.shortName,
    state: worst([...resources.map(({ state }) => state), nothingSentYet ? "pending" : "synced"]),
    resources,
  };
}

function resourceStatus(
  stream: TypeStream,
  name: string,
  wanted: Resource | undefined,
  isInFlight: boolean,
): ResourceStatus {
  const held = stream.held.get(name);
  const refusal = stream.refusals.get(name);
  const state = syncState(stream, { held, refusal, wanted, isInFlight });
  return {
    name,
    state,
    ...(wanted === undefined ? {} : { wanted: wanted.version }),
    ...(held === undefined || held.sent === absent ? {} : { sent: held.sent }),
    ...(held?.accepted === undefined ? {} : { accepted: held.accepted.version }),
    ...(state !== "refused" || refusal === undefined ? {} : { refusal }),
  };
}

interface Known {
  readonly held: Held | undefined;
  readonly refusal: Refusal | undefined;
  readonly wanted: Resource | undefined;
  readonly isInFlight: boolean;
}

function syncState({ variant, type }: TypeStream, { held, refusal, wanted, isInFlight }: Known): SyncState {
  // A refusal of what is no longer wanted is settled as soon as the newer state, or the deletion, is sent.
  if (refusal !== undefined && refusal.version === wanted?.version) return "refused";
  if (isInFlight) return "pending";
  if (wanted !== undefined) return held?.sent === wanted.version ? "synced" : "pending";
  const letsGoByItself = !type.sendsRemovals || (variant === "sotw" && !type.fullState);
  return held === undefined || held.sent === absent || letsGoByItself ? "synced" : "pending";
}

function worst(states: readonly SyncState[]): SyncState {
  if (states.includes("refused")) return "refused";
  return states.includes("pending") ? "pending" : "synced";
}
