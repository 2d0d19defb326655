import type { Resource } from "../resources/snapshot.ts";
import { memo } from "./memo.ts";
import { NameSet } from "./name-set.ts";
import { shared } from "./settled.ts";
import {
  absent,
  doubted,
  type Held,
  knownAs,
  rejectionKey,
  rejects,
  sendsFullState,
  type TypeStream,
  taken,
  uncertain,
} from "./type-stream.ts";

/** The client took the response in flight. */
export const accepted = memo((stream: TypeStream): TypeStream => {
  const held = new Map<string, Held>();
  for (const resource of stream.inFlight?.changed ?? []) {
    for (const name of knownAs(stream, resource)) {
      // It may have been asked for anew meanwhile, or left and come back to: then it has it, and is still to be told.
      const isLast = stream.held.get(name)?.sent === resource.version;
      held.set(name, isLast ? taken(resource) : doubted(taken(resource)));
    }
  }
  if (stream.rejected.size === 0) return shared(withoutEarlier(answered(stream, held)));
  for (const resource of keptThoughRejected(stream)) {
    const { name, version } = resource;
    held.set(name, { sent: stream.held.get(name)?.sent ?? version, accepted: resource });
  }
  // What was rejected, be it for the sake of others, and came again all the same, is taken now.
  const forgiven = [...held].map(([name, { accepted }]) => rejectionKey(name, accepted?.version ?? absent));
  const rejected = stream.rejected.with({ removed: forgiven });
  return shared(withoutEarlier({ ...answered(stream, held), rejected }));
});

/** The stream after an answer that tells what the client holds of some names. */
function answered(stream: TypeStream, changes: ReadonlyMap<string, Held | undefined>): TypeStream {
  const uncertainNames = [...changes].filter(([, held]) => held?.sent === uncertain).map(([name]) => name);
  const doubtful = stream.doubtful.with({ added: uncertainNames });
  return { ...stream, held: stream.held.with(changes), doubtful, inFlight: undefined };
}

/** What the client may have held of an earlier stream, it holds no more where all that it holds is known. */
function withoutEarlier(stream: TypeStream): TypeStream {
  if (!stream.mayHoldEarlier) return stream;
  // Of a full response, it holds what that said and nothing else.
  const isKnown =
    sendsFullState(stream) ||
    [...stream.held.values()].every(({ sent, accepted }) => sent === absent || accepted !== undefined);
  return isKnown ? { ...stream, mayHoldEarlier: false } : stream;
}

/** Which resources a client rejects. */
export interface Blame {
  readonly resources: readonly Resource[];
  /** False when the client's reason names none, so that all that changed stand under suspicion. */
  readonly isNamed: boolean;
}

/** The resources of the response in flight that a client's reason for rejecting speaks of. */
export function blamed(stream: TypeStream, reason: string): Blame {
  const changed = stream.inFlight?.changed ?? [];
  const named = [...changed, ...assumedKept(stream, changed)].filter(({ name }) => mentions(reason, name));
  // A response that had to repeat what was rejected before (see keptResources) may be rejected for that alone.
  const namesKept = () => keptThoughRejected(stream).some(({ name }) => mentions(reason, name));
  const isNamed = named.length > 0 || (takesRest(stream) && namesKept());
  return { resources: isNamed ? named : changed, isNamed };
}

/** What the client rejected before, and the response in flight has to say again all the same (see keptResources). */
function keptThoughRejected(stream: TypeStream): readonly Resource[] {
  return stream.inFlight?.kept.filter(({ name, version }) => rejects(stream, name, version)) ?? [];
}

/** What a full response repeats because the client may have taken it. */
function assumedKept(stream: TypeStream, changed: readonly Resource[]): readonly Resource[] {
  if (!sendsFullState(stream)) return [];
  const changedNames = new Set(changed.map(({ name }) => name));
  return [...stream.held].flatMap(([name, { assumed }]) => (changedNames.has(name) || !assumed ? [] : assumed));
}

/**
 * What is rejected must be repeated to a client that may hold an earlier version of it, so the rest would be rejected
 * with it for ever. Envoy, for which this is done, takes the rest.
 */
const takesRest = (stream: TypeStream): boolean => stream.mayHoldEarlier && sendsFullState(stream);

/**
 * The client rejected the response in flight because of some of its resources, which are not sent again. Whether it
 * took the rest is not known, so that is sent again.
 */
export function rejected(stream: TypeStream, { resources, isNamed }: Blame, maxRejections: number): TypeStream {
  const key = [isNamed, ...resources.map(({ name, version }) => rejectionKey(name, version))].join("\n");
  const known = rejectedFor(stream);
  const after = known.get(key) ?? newest(rejectedNow(stream, { resources, isNamed }), maxRejections);
  known.set(key, after);
  return after;
}

/** By the culprits: clients that reject the same for the same reason stay equal. */
const rejectedFor = memo((_stream: TypeStream): Map<string, TypeStream> => new Map());

function rejectedNow(stream: TypeStream, { resources, isNamed }: Blame): TypeStream {
  const culprits = new Set(resources);
  const changed = stream.inFlight?.changed ?? [];
  const held = new Map<string, Held | undefined>();
  const keys: string[] = [];
  for (const resource of new Set([...changed, ...culprits])) {
    for (const name of knownAs(stream, resource)) {
      const before = stream.held.get(name) ?? { sent: uncertain };
      if (culprits.has(resource)) {
        keys.push(rejectionKey(name, resource.version));
        const known = isNamed ? withoutAssumed(before, resource) : before;
        held.set(name, takesRest(stream) ? { ...known, rejected: resource } : known);
      } else if (before.sent !== resource.version) held.set(name, { ...before, assumed: resource });
      else held.set(name, takesRest(stream) ? taken(resource) : { ...before, sent: uncertain, assumed: resource });
    }
  }
  // A deletion beside a resource at fault is told again with the rest; one that was rejected for itself is not.
  const toldAgain = changed.length > 0 && !takesRest(stream) ? [...(stream.inFlight?.removed ?? [])] : [];
  for (const [name, before] of toldAgain) {
    const isAskedMeanwhile = (stream.held.get(name)?.sent ?? absent) !== absent;
    if (isAskedMeanwhile) continue;
    held.set(name, before === undefined || before.sent === absent ? before : doubted(before));
  }
  const after = answered(stream, held);
  const doubtful = after.doubtful.with({ added: toldAgain.map(([name]) => name) });
  return { ...after, doubtful, rejected: stream.rejected.with({ added: keys }) };
}

/** What a client rejects by name it did not take before. */
function withoutAssumed({ assumed, ...known }: Held, { version }: Resource): Held {
  return assumed === undefined || assumed.version === version ? known : { ...known, assumed };
}

/** Forgets the oldest rejections over a number. */
function newest(stream: TypeStream, max: number): TypeStream {
  const { rejected } = stream;
  return rejected.size <= max ? stream : { ...stream, rejected: NameSet.of([...rejected].slice(-max)) };
}

/** True when a text holds a resource's name as a word of its own, not inside a longer name. */
function mentions(text: string, name: string): boolean {
  const partOfName = (char: string | undefined) => char !== undefined && /[\w\-/]/.test(char);
  for (let at = text.indexOf(name); at !== -1; at = text.indexOf(name, at + 1)) {
    if (!partOfName(text[at - 1]) && !partOfName(text[at + name.length])) return true;
  }
  return false;
}
