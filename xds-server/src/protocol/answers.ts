import type { Resource } from "../resources/snapshot.ts";
import { memo } from "./memo.ts";
import { NameSet } from "./name-set.ts";
import { shared } from "./settled.ts";
import {
  absent,
  dueAgain,
  type Held,
  heldAfterAck,
  knownAs,
  rejectionKey,
  rejects,
  sendsFullState,
  type TypeStream,
  uncertain,
} from "./type-stream.ts";

/** The stream after the client ACKs the response in flight. */
export const accepted = memo((stream: TypeStream): TypeStream => {
  const held = new Map<string, Held>();
  for (const resource of stream.inFlight?.changed ?? []) {
    for (const name of knownAs(stream, resource)) {
      // The client may have subscribed to the name again since the response was sent. Then the resource is due again.
      const isLast = stream.held.get(name)?.sent === resource.version;
      held.set(name, isLast ? heldAfterAck(resource) : dueAgain(heldAfterAck(resource)));
    }
  }
  if (stream.rejected.size === 0) return shared(withoutEarlier(answered(stream, held)));
  for (const resource of keptThoughRejected(stream)) {
    const { name, version } = resource;
    held.set(name, { sent: stream.held.get(name)?.sent ?? version, accepted: resource });
  }
  // A version rejected together with others, then accepted when repeated, is no longer rejected.
  const acceptedKeys = [...held].map(([name, { accepted }]) => rejectionKey(name, accepted?.version ?? absent));
  const rejected = stream.rejected.with({ removed: acceptedKeys });
  return shared(withoutEarlier({ ...answered(stream, held), rejected }));
});

/** The stream after an answer. `changes` holds the new state of each name that the answer is about. */
function answered(stream: TypeStream, changes: ReadonlyMap<string, Held | undefined>): TypeStream {
  const uncertainNames = [...changes].filter(([, held]) => held?.sent === uncertain).map(([name]) => name);
  const unsettled = stream.unsettled.with({ added: uncertainNames });
  return { ...stream, held: stream.held.with(changes), unsettled, inFlight: undefined };
}

/** Clears `mayHoldEarlier` once everything that the client holds is known. */
function withoutEarlier(stream: TypeStream): TypeStream {
  if (!stream.mayHoldEarlier) return stream;
  // After it accepts a full response, the client holds exactly that.
  const isKnown =
    sendsFullState(stream) ||
    [...stream.held.values()].every(({ sent, accepted }) => sent === absent || accepted !== undefined);
  return isKnown ? { ...stream, mayHoldEarlier: false } : stream;
}

/** The resources that a NACK blames. */
export interface Blame {
  readonly resources: readonly Resource[];
  /** False when the NACK's error detail names no resource: then any of the changed resources may be at fault. */
  readonly isNamed: boolean;
}

/** The resources of the response in flight that a NACK's error detail names, or all changed ones when it names none. */
export function blamed(stream: TypeStream, reason: string): Blame {
  const changed = stream.inFlight?.changed ?? [];
  const named = [...changed, ...assumedKept(stream, changed)].filter(({ name }) => mentions(reason, name));
  // A NACK may name only rejected versions that the response had to repeat (see keptResources). That blames nothing new.
  const namesKept = () => keptThoughRejected(stream).some(({ name }) => mentions(reason, name));
  const isNamed = named.length > 0 || (acceptsRest(stream) && namesKept());
  return { resources: isNamed ? named : changed, isNamed };
}

/** Versions that the client rejected before and that the response in flight had to repeat (see keptResources). */
function keptThoughRejected(stream: TypeStream): readonly Resource[] {
  return stream.inFlight?.kept.filter(({ name, version }) => rejects(stream, name, version)) ?? [];
}

/** Versions that a full response repeats because the client may have accepted them. */
function assumedKept(stream: TypeStream, changed: readonly Resource[]): readonly Resource[] {
  if (!sendsFullState(stream)) return [];
  const changedNames = new Set(changed.map(({ name }) => name));
  return [...stream.held].flatMap(([name, { assumed }]) => (changedNames.has(name) || !assumed ? [] : assumed));
}

/**
 * True where the rest of a rejected response counts as accepted. While a client may hold an unknown version of a rejected
 * resource, every full response repeats that resource, so the client rejects every response. To send the rest again would
 * never end. Envoy does accept the rest of a rejected response.
 */
const acceptsRest = (stream: TypeStream): boolean => stream.mayHoldEarlier && sendsFullState(stream);

/**
 * The stream after the client NACKs the response in flight. The blamed versions are not sent again. It is unknown whether
 * the client accepted the rest, so the rest is sent again.
 */
export function rejected(stream: TypeStream, { resources, isNamed }: Blame, maxRejections: number): TypeStream {
  const key = [isNamed, ...resources.map(({ name, version }) => rejectionKey(name, version))].join("\n");
  const known = rejectedByKey(stream);
  const after = known.get(key) ?? newest(rejectedNow(stream, { resources, isNamed }), maxRejections);
  known.set(key, after);
  return after;
}

/** By the blamed versions: clients that reject the same versions keep sharing one object. */
const rejectedByKey = memo((_stream: TypeStream): Map<string, TypeStream> => new Map());

function rejectedNow(stream: TypeStream, { resources, isNamed }: Blame): TypeStream {
  const blamedResources = new Set(resources);
  const changed = stream.inFlight?.changed ?? [];
  const held = new Map<string, Held | undefined>();
  const keys: string[] = [];
  for (const resource of new Set([...changed, ...blamedResources])) {
    for (const name of knownAs(stream, resource)) {
      const before = stream.held.get(name) ?? { sent: uncertain };
      if (blamedResources.has(resource)) {
        keys.push(rejectionKey(name, resource.version));
        const known = isNamed ? withoutAssumed(before, resource) : before;
        held.set(name, acceptsRest(stream) ? { ...known, rejected: resource } : known);
      } else if (before.sent !== resource.version) held.set(name, { ...before, assumed: resource });
      else
        held.set(
          name,
          acceptsRest(stream) ? heldAfterAck(resource) : { ...before, sent: uncertain, assumed: resource },
        );
    }
  }
  // A deletion beside a blamed resource is sent again with the rest. A rejected response with deletions only is not repeated.
  const removalsToResend = changed.length > 0 && !acceptsRest(stream) ? [...(stream.inFlight?.removed ?? [])] : [];
  for (const [name, before] of removalsToResend) {
    const isResubscribed = (stream.held.get(name)?.sent ?? absent) !== absent;
    if (isResubscribed) continue;
    held.set(name, before === undefined || before.sent === absent ? before : dueAgain(before));
  }
  const after = answered(stream, held);
  const unsettled = after.unsettled.with({ added: removalsToResend.map(([name]) => name) });
  return { ...after, unsettled, rejected: stream.rejected.with({ added: keys }) };
}

/** A client that names a version in a NACK has not accepted it before, so that version is no longer assumed. */
function withoutAssumed({ assumed, ...known }: Held, { version }: Resource): Held {
  return assumed === undefined || assumed.version === version ? known : { ...known, assumed };
}

/** Keeps only the `max` newest rejections. */
function newest(stream: TypeStream, max: number): TypeStream {
  const { rejected } = stream;
  return rejected.size <= max ? stream : { ...stream, rejected: NameSet.of([...rejected].slice(-max)) };
}

/** True when the text contains the name as a whole, not as part of a longer name. */
function mentions(text: string, name: string): boolean {
  const partOfName = (char: string | undefined) => char !== undefined && /[\w\-/]/.test(char);
  for (let at = text.indexOf(name); at !== -1; at = text.indexOf(name, at + 1)) {
    if (!partOfName(text[at - 1]) && !partOfName(text[at + name.length])) return true;
  }
  return false;
}
