import { type ResourceType, resourceTypes, type TypeUrl } from "../resources/resource-types.ts";
import { type Resource, type ResourceSet, resourcesOf, type Snapshot, type Version } from "../resources/snapshot.ts";

/**
 * What an xDS server owes one client, said as plainly as possible and never fast: nothing is remembered but what was
 * said, and every question is answered by reading that back from its end. Shares no code with the protocol that it judges.
 */
export class ReferenceModel {
  readonly #sayings = new Map<TypeUrl, Saying[]>();
  readonly #variant: "sotw" | "delta";
  readonly #limits: Limits;
  #newest: Snapshot;

  constructor(variant: "sotw" | "delta", newest: Snapshot, limits: Limits) {
    this.#variant = variant;
    this.#newest = newest;
    this.#limits = limits;
  }

  publish(newest: Snapshot): void {
    this.#newest = newest;
  }

  /** The client says what it wants: all of it (state of the world), or what it adds and removes (delta). */
  ask(type: ResourceType, wish: Wish): void {
    const sayings = this.#sayings.get(type.typeUrl) ?? [];
    this.#sayings.set(type.typeUrl, sayings);
    const before = sayings.findLast((saying) => saying.kind === "asked");
    const isFirst = before === undefined;
    if ("list" in wish) {
      const isLegacyWildcard = wish.list.length === 0 && !sayings.some((each) => each.kind === "asked" && each.named);
      const names = new Set(wish.list.filter((name) => name !== "*"));
      const newly = [...names].filter((name) => !before?.names.has(name));
      const wildcard = wish.list.includes("*") || isLegacyWildcard;
      const named = wish.list.length > 0;
      const resumes = isFirst && wish.resumes;
      sayings.push({ kind: "asked", names, wildcard, named, newly, left: [], holds: new Map(), resumes });
      return;
    }
    const names = new Set([...(before?.names ?? []), ...wish.added].filter((name) => !wish.removed.includes(name)));
    const asksForAll = names.delete("*") || (isFirst && wish.added.length === 0);
    const wildcard = (asksForAll || before?.wildcard === true) && !wish.removed.includes("*");
    const left = wish.removed.filter((name) => before?.names.has(name));
    const available = this.#available(type);
    const known = [...(isFirst ? wish.holds : [])].map(([name, version]) => {
      const resource = available.get(name);
      return [name, { version, resource: resource?.version === version ? resource : undefined }] as const;
    });
    const resumes = known.some(([, { resource }]) => resource === undefined);
    const holds = new Map(known);
    sayings.push({ kind: "asked", names, wildcard, named: true, newly: wish.added, left, holds, resumes });
  }

  /** The client's verdict on the response that it owes an answer to; `blamed` are the names in its reason. */
  answer(type: ResourceType, verdict: "taken" | { readonly blamed: readonly string[] }): void {
    const told = this.#open(type);
    if (told === undefined) throw new Error(`There is no ${type.shortName} response to answer`);
    this.#of(type).push({ kind: "answered", told });
    if (verdict === "taken") {
      told.verdict = "taken";
      return;
    }
    // A client of whom it is not known what it holds is told even what it rejected; what it then did not reject, it took.
    const restTaken = this.#isFullState(type) && this.mayHoldEarlier(type);
    const blamed = verdict.blamed.filter((name) => told.changed.has(name));
    const blamesRepeated = restTaken && verdict.blamed.some((name) => told.repeated.has(name));
    told.verdict = {
      rejected: new Set(blamed.length > 0 || blamesRepeated ? blamed : told.changed.keys()),
      restTaken,
    };
  }

  /** The nonce of the response that waits for its answer. */
  openNonce(type: ResourceType): string | undefined {
    return this.#open(type)?.nonce;
  }

  /** Tells everything that is due now, type by type in push order. The caller fills in the nonces. */
  respond(now: number): Told[] {
    const responses: Told[] = [];
    for (const type of resourceTypes) {
      if (this.#open(type) !== undefined || this.#holdsBackUntil(type, now) > now) continue;
      const due = this.#due(type, this.#mayDelete(type, now));
      if (due === undefined) continue;
      const rewarmed = [...due.changed.values()].flatMap((resource) => resource.rewarms);
      const awaited = rewarmed.flatMap(({ typeUrl, name }) => resourcesOf(this.#newest, typeUrl).get(name) ?? []);
      const told: Told = {
        kind: "told",
        type,
        ...due,
        awaited,
        sentAt: now,
        nonce: "",

        verdict: undefined,
      };
      this.#of(type).push(told);
      for (const { typeUrl, name } of rewarmed) this.#sayings.get(typeUrl)?.push({ kind: "rewarmed", name });
      responses.push(told);
    }
    return responses;
  }

  /** True when the client rejected this very version on this stream, and did not ask for the name anew. */
  isRejected(type: ResourceType, { name, version }: Pick<Resource, "name" | "version">): boolean {
    return this.#known(type, name).rejected.has(version);
  }

  /** True when something that refers to the type goes on in a version that may need what was deleted. */
  isNeededByRejected(type: ResourceType): boolean {
    return this.#usersOf(type).some((user) => this.#goesOnWithOlder(user) || this.isNeededByRejected(user));
  }

  /** True while the client may go on with what an earlier stream gave it, of which nothing is known here. */
  mayHoldEarlier(type: ResourceType): boolean {
    const sayings = this.#of(type);
    if (!sayings.some((saying) => saying.kind === "asked" && saying.resumes)) return false;
    return !sayings.some((saying, index) => {
      if (saying.kind !== "answered" || saying.told.verdict !== "taken") return false;
      // The client holds what a full response said and nothing else; otherwise, until it took something of each name.
      if (this.#isFullState(type)) return true;
      const known = this.#names(type).map((name) => this.#known(type, name, sayings.slice(0, index + 1)));
      return known.every(({ mayHold, accepted }) => !mayHold || accepted !== undefined);
    });
  }

  #of(type: ResourceType): Saying[] {
    return this.#sayings.get(type.typeUrl) ?? [];
  }

  #open(type: ResourceType): Told | undefined {
    return this.#of(type).find((saying) => saying.kind === "told" && saying.verdict === undefined) as Told | undefined;
  }

  #wish(type: ResourceType): Asked | undefined {
    return this.#of(type).findLast((saying) => saying.kind === "asked");
  }

  #isFullState(type: ResourceType): boolean {
    return this.#variant === "sotw" && type.fullState;
  }

  /** What the client knows of a name, after all or the first of what was said. */
  #known(type: ResourceType, name: string, sayings: readonly Saying[] = this.#of(type)): Known {
    let known = nothing;
    for (const [index, saying] of sayings.entries()) {
      if (saying.kind === "asked") known = whenAsked(known, saying, name);
      else if (saying.kind === "told") known = whenTold(known, saying, name);
      else if (saying.kind === "answered") {
        const before = () => this.#known(type, name, sayings.slice(0, sayings.lastIndexOf(saying.told, index)));
        known = whenAnswered(known, saying.told, { name, before });
      } else if (saying.name === name && known.version !== GONE) known = { ...known, version: undefined };
    }
    return known;
  }

  /** The newest of the type; and what a cluster on its way waits for, though it was deleted meanwhile. */
  #available(type: ResourceType): ResourceSet {
    const all = new Map(resourcesOf(this.#newest, type.typeUrl));
    for (const each of resourceTypes) {
      for (const resource of this.#open(each)?.awaited ?? [])
        if (resource.typeUrl === type.typeUrl && !all.has(resource.name)) all.set(resource.name, resource);
    }
    return all;
  }

  /** What the client is to be sent: what is new to it, and in the place of what it rejected and waits for what it took last. */
  #unsent(type: ResourceType, available: ResourceSet): Map<string, Resource> {
    const wish = this.#wish(type);
    const unsent = new Map<string, Resource>();
    for (const resource of available.values()) {
      const { name } = resource;
      if (!wish?.wildcard && !wish?.names.has(name)) continue;
      const { version, rejected, accepted } = this.#known(type, name);
      if (!rejected.has(resource.version)) {
        if (version !== resource.version) unsent.set(name, resource);
      } else if (version === undefined && accepted !== undefined) unsent.set(name, accepted);
    }
    return unsent;
  }

  /** What a response must say now; undefined when there is nothing to say. */
  #due(type: ResourceType, mayDelete: boolean): Pick<Told, "changed" | "repeated" | "gone"> | undefined {
    const wish = this.#wish(type);
    if (wish === undefined || this.#open(type) !== undefined) return undefined;
    const available = this.#available(type);
    const changed = this.#unsent(type, available);
    const missing = [...wish.names].filter((name) => !available.has(name));
    const unheardOf = missing.filter((name) => {
      const { version, mayHold } = this.#known(type, name);
      return version === undefined && (type.sendsRemovals || !mayHold);
    });
    const canTell = this.#variant === "delta" || type.fullState;
    const gone = new Set(canTell ? [...(mayDelete ? this.#deleted(type) : []), ...unheardOf] : []);
    if (changed.size === 0 && gone.size === 0 && !this.#isOwedFirst(type)) return undefined;
    return { changed, gone, repeated: this.#repeated(type, { available, changed, gone }) };
  }

  /** Names that the client holds and that are there no more. */
  #deleted(type: ResourceType): string[] {
    const wish = this.#wish(type);
    if (!type.sendsRemovals || (this.#variant === "sotw" && !type.fullState)) return [];
    const available = this.#available(type);
    const gone = this.#names(type).filter((name) => !available.has(name) && this.#known(type, name).mayHold);
    return gone.filter((name) => wish?.wildcard || wish?.names.has(name));
  }

  /** All names that were ever spoken of. */
  #names(type: ResourceType): string[] {
    const names = this.#of(type).flatMap((saying) => {
      if (saying.kind === "told") return [...saying.changed.keys(), ...saying.repeated.keys()];
      return saying.kind === "asked" ? [...saying.holds.keys(), ...saying.names] : [];
    });
    return [...new Set(names)];
  }

  /** A full response says again what stays, because what it leaves out is deleted; the last taken stands in for the rejected. */
  #repeated(
    type: ResourceType,
    { available, changed, gone }: { available: ResourceSet; changed: Map<string, Resource>; gone: Set<string> },
  ): Map<string, Resource> {
    const repeated = new Map<string, Resource>();
    if (!this.#isFullState(type)) return repeated;
    for (const name of this.#names(type)) {
      if (changed.has(name) || gone.has(name)) continue;
      const { mayHold, accepted, rejected, lastRejected } = this.#known(type, name);
      if (!mayHold) continue;
      const newest = available.get(name);
      const isGood = newest !== undefined && !rejected.has(newest.version);
      const stays = isGood ? newest : (accepted ?? (this.mayHoldEarlier(type) ? (newest ?? lastRejected) : undefined));
      if (stays !== undefined) repeated.set(name, stays);
    }
    return repeated;
  }

  /** Who begins to ask for everything is answered, be it with nothing; not who says what it holds: it has begun before. */
  #isOwedFirst(type: ResourceType): boolean {
    let isOwed = false;
    let wasWildcard = false;
    for (const saying of this.#of(type)) {
      if (saying.kind === "told") isOwed = false;
      if (saying.kind !== "asked") continue;
      if (saying.wildcard && !wasWildcard) isOwed = saying.holds.size === 0;
      if (!saying.wildcard) isOwed = false;
      wasWildcard = saying.wildcard;
    }
    return isOwed;
  }

  /** Make before break: what refers to a cluster waits until clusters on their way are ready, within the limits. */
  #holdsBackUntil(type: ResourceType, now: number): number {
    const waits = resourceTypes.map((used) => {
      const open = this.#open(used);
      if (open === undefined || !used.answeredWhenReady || !used.usedBy.includes(type.shortName)) return 0;
      const until = open.sentAt + this.#limits.holdLimitMs;
      if (until > now) return until;
      const hasMore = this.#unsent(used, resourcesOf(this.#newest, used.typeUrl)).size > 0;
      return hasMore ? open.sentAt + this.#limits.unsentHoldLimitMs : until;
    });
    return Math.max(...waits);
  }

  /** Make before break: what others refer to goes when they were told and have answered, within the limit. */
  #mayDelete(type: ResourceType, now: number): boolean {
    return this.#usersOf(type).every((user) => {
      if (this.#goesOnWithOlder(user)) return false;
      const open = this.#open(user);
      if (open !== undefined) return open.sentAt + this.#limits.holdLimitMs <= now;
      return this.#due(user, true) === undefined;
    });
  }

  #usersOf(type: ResourceType): ResourceType[] {
    return resourceTypes.filter(({ shortName }) => type.usedBy.includes(shortName));
  }

  #goesOnWithOlder(type: ResourceType): boolean {
    return [...resourcesOf(this.#newest, type.typeUrl).values()].some(({ name, version }) => {
      const { accepted, rejected } = this.#known(type, name);
      return rejected.has(version) && (accepted !== undefined || this.mayHoldEarlier(type));
    });
  }
}

export interface Limits {
  readonly holdLimitMs: number;
  readonly unsentHoldLimitMs: number;
}

export type Wish =
  | { readonly list: readonly string[]; readonly resumes: boolean }
  | {
      readonly added: readonly string[];
      readonly removed: readonly string[];
      readonly holds: ReadonlyMap<string, Version>;
    };

/** A response, and in the end what became of it. */
export interface Told {
  readonly kind: "told";
  readonly type: ResourceType;
  readonly changed: ReadonlyMap<string, Resource>;
  readonly repeated: ReadonlyMap<string, Resource>;
  readonly gone: ReadonlySet<string>;
  /** What a client needs before it can answer. */
  readonly awaited: readonly Resource[];
  readonly sentAt: number;
  nonce: string;
  /** Absent while the client owes its answer. */
  verdict: "taken" | { readonly rejected: ReadonlySet<string>; readonly restTaken: boolean } | undefined;
}

interface Asked {
  readonly kind: "asked";
  readonly names: ReadonlySet<string>;
  readonly wildcard: boolean;
  /** True when the request named anything. */
  readonly named: boolean;
  /** Names that the client asks for, to be told of them whatever it knows. */
  readonly newly: readonly string[];
  /** Names that a delta client ceases to name, to be told what has become of them where it wants everything. */
  readonly left: readonly string[];
  /** What it brings from an earlier stream; the resource where that is what there is. */
  readonly holds: ReadonlyMap<string, { readonly version: Version; readonly resource: Resource | undefined }>;
  readonly resumes: boolean;
}

type Saying =
  | Asked
  | Told
  | { readonly kind: "answered"; readonly told: Told }
  /** Something else that was sent makes the client wait for the name. */
  | { readonly kind: "rewarmed"; readonly name: string };

/** What a client knows of a name that it wants. */
interface Known {
  readonly isWanted: boolean;
  /** Told last; GONE when told that there is none; absent when nothing was told, or it is to be told again. */
  readonly version: Version | undefined;
  /** True when the client was sent a version, and not told since that it is gone. */
  readonly mayHold: boolean;
  readonly accepted: Resource | undefined;
  readonly rejected: ReadonlySet<Version>;
  /** Stands for what the client may hold of an earlier stream, once the name is gone but must not be told so yet. */
  readonly lastRejected: Resource | undefined;
}

/** Stands for the version of what does not exist. */
const GONE = "";

/** Of a name that it does not want. */
const nothing: Known = {
  isWanted: false,
  version: undefined,
  mayHold: false,
  accepted: undefined,
  rejected: new Set(),
  lastRejected: undefined,
};

function whenAsked(known: Known, { names, wildcard, holds, newly, left }: Asked, name: string): Known {
  if (!wildcard && !names.has(name)) return nothing;
  const before = known.isWanted ? known : { ...nothing, isWanted: true };
  const held = holds.get(name);
  if (held !== undefined) return { ...before, version: held.version, mayHold: true, accepted: held.resource };
  if (newly.includes(name)) return { ...before, version: undefined, rejected: new Set() };
  return left.includes(name) ? { ...before, version: undefined, rejected: new Set(), mayHold: true } : before;
}

function whenTold(known: Known, { changed, gone }: Told, name: string): Known {
  const version = changed.get(name)?.version;
  if (version !== undefined) return { ...known, version, mayHold: true };
  return gone.has(name)
    ? { ...known, version: GONE, mayHold: false, accepted: undefined, lastRejected: undefined }
    : known;
}

function whenAnswered(
  known: Known,
  { changed, repeated, gone, verdict }: Told,
  { name, before }: { name: string; before: () => Known },
): Known {
  const resource = changed.get(name);
  if (!known.isWanted || verdict === undefined) return known;
  if (verdict === "taken") {
    const taken = resource ?? repeated.get(name);
    if (taken === undefined) return known;
    const rejected = new Set([...known.rejected].filter((version) => version !== taken.version));
    return { ...known, accepted: taken, rejected, lastRejected: undefined, mayHold: true };
  }
  if (resource !== undefined && verdict.rejected.has(name)) {
    return {
      ...known,
      rejected: new Set([...known.rejected, resource.version]),
      lastRejected: resource,
      mayHold: true,
    };
  }
  // What was not blamed may have been taken or not: it is sent again, and told of when it is gone.
  if (resource !== undefined) {
    const version = verdict.restTaken ? known.version : undefined;
    return { ...known, version, accepted: resource, mayHold: true };
  }
  // So is a deletion, and what was deleted is sent again should it be there again; one rejected for itself is not told again.
  if (!gone.has(name) || known.version !== GONE || changed.size === 0 || verdict.restTaken) return known;
  const earlier = before();
  return earlier.version === GONE ? earlier : { ...earlier, version: undefined };
}
