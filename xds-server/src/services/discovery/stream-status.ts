import { memo2 } from "../../protocol/memo.ts";
import { rejectionOf } from "../../protocol/stream.ts";
import type { Stream, TypeStreams } from "../../protocol/stream-state.ts";
import { wants } from "../../protocol/subscription.ts";
import { absent, type Held, rejects, type TypeStream, uncertain } from "../../protocol/type-stream.ts";
import { worstState } from "../../proxy-status/proxy-state.ts";
import type { ResourceStatus, StreamStatus, SyncState, TypeStatus } from "../../proxy-status/proxy-status.ts";
import { type Resource, type ResourceSet, resourcesOf, type Snapshot } from "../../resources/snapshot.ts";

/** A stream's state in an operator's terms. */
export function streamStatus(
  stream: Stream,
  about: { readonly id: number; readonly peer: string; readonly openedAt: number },
): StreamStatus {
  const types = [...stream.types.values()].map((type) => typeStatus(stream, type));
  return { ...about, variant: stream.variant, types };
}

/** The worst state of all types: what the stream holds, compared with the snapshot that it should hold. */
export function streamState(types: TypeStreams, snapshot: Snapshot): SyncState {
  return sharedState(types, snapshot).state;
}

const sharedState = memo2((types: TypeStreams, snapshot: Snapshot): { readonly state: SyncState } => {
  const states = [...types.values()].map((stream) => {
    return sharedStatus(stream, resourcesOf(snapshot, stream.type.typeUrl)).state;
  });
  return { state: worstState(states) };
});

function typeStatus(whole: Stream, stream: TypeStream): TypeStatus {
  const status = sharedStatus(stream, resourcesOf(whole.snapshot, stream.type.typeUrl));
  if (stream.rejected.size === 0) return status;
  const resources = status.resources.map((resource) => {
    const { name, wanted, state } = resource;
    const rejection =
      state === "rejected" && wanted !== undefined ? rejectionOf(whole, stream, name, wanted) : undefined;
    return rejection === undefined ? resource : { ...resource, rejection };
  });
  return { ...status, resources };
}

/** Everything except the reasons of rejections. Computed once for all streams with equal state, so that describing thousands of proxies is cheap. */
const sharedStatus = memo2((stream: TypeStream, available: ResourceSet): TypeStatus => {
  const { subscription, held, type } = stream;
  const wanted = [...available.keys()].filter((name) => wants(subscription, name));
  const names = [...new Set([...wanted, ...subscription.names, ...held.keys()])].sort();
  const inFlight = new Set(stream.inFlight?.changed.map(({ name }) => name));
  const resources = names.map((name) => {
    const wanted = available.get(name);
    return resourceStatus(stream, name, { held: held.get(name), wanted, isInFlight: inFlight.has(name) });
  });
  const nothingSentYet = stream.owed;
  return {
    typeUrl: type.typeUrl,
    shortName: type.shortName,
    state: worstState([...resources.map(({ state }) => state), nothingSentYet ? "pending" : "synced"]),
    resources,
  };
});

function resourceStatus(stream: TypeStream, name: string, known: Known): ResourceStatus {
  const { held, wanted } = known;
  const wasSent = held !== undefined && held.sent !== absent && held.sent !== uncertain;
  return {
    name,
    state: syncState(stream, name, known),
    ...(wanted === undefined ? {} : { wanted: wanted.version }),
    ...(wasSent ? { sent: held.sent } : {}),
    ...(held?.accepted === undefined ? {} : { accepted: held.accepted.version }),
  };
}

interface Known {
  readonly held: Held | undefined;
  readonly wanted: Resource | undefined;
  readonly isInFlight: boolean;
}

function syncState(stream: TypeStream, name: string, { held, wanted, isInFlight }: Known): SyncState {
  const { variant, type } = stream;
  if (wanted !== undefined && rejects(stream, name, wanted.version)) return "rejected";
  if (isInFlight) return "pending";
  if (wanted !== undefined) return held?.sent === wanted.version ? "synced" : "pending";
  const letsGoByItself = !type.sendsRemovals || (variant === "sotw" && !type.fullState);
  return held === undefined || held.sent === absent || letsGoByItself ? "synced" : "pending";
}
