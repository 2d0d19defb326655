import { type ResourceType, resourceTypes, type TypeUrl } from "../resources/resource-types.ts";
import { type Resource, type ResourceSet, resourcesOf, type Snapshot, type Version } from "../resources/snapshot.ts";

/**
 * A model of one stream: which responses the server must send to its client. It is written to be obvious, not fast. It
 * records the requests, responses and answers, and derives everything else from that record each time. It shares no code
 * with the protocol that it checks.
 */
export class ReferenceModel {
  readonly #events = new Map<TypeUrl, StreamEvent[]>();
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

  /** A request of the client. State of the world carries the whole list of names, delta the names added and removed. */
  request(type: ResourceType, request: RequestedNames): void {
    const events = this.#events.get(type.typeUrl) ?? [];
    this.#events.set(type.typeUrl, events);
    const before = events.findLast((event) => event.kind === "request");
    const isFirst = before === undefined;
    if ("list" in request) {
      const isLegacyWildcard =
        request.list.length === 0 && !events.some((each) => each.kind === "request" && each.named);
      const names = new Set(request.list.filter((name) => name !== "*"));
      const subscribed = [...names].filter((name) => !before?.names.has(name));
      const wildcard = request.list.includes("*") || isLegacyWildcard;
      const named = request.list.length > 0;
      const resumes = isFirst && request.resumes;
      events.push({
        kind: "request",
        names,
        wildcard,
        named,
        subscribed,
        unsubscribed: [],
        initialVersions: new Map(),
        resumes,
      });
      return;
    }
    const names = new Set(
      [...(before?.names ?? []), ...request.added].filter((name) => !request.removed.includes(name)),
    );
    const subscribesToAll = names.delete("*") || (isFirst && request.added.length === 0);
    const wildcard = (subscribesToAll || before?.wildcard === true) && !request.removed.includes("*");
    const unsubscribed = request.removed.filter((name) => before?.names.has(name));
    const available = this.#available(type);
    const known = [...(isFirst ? request.initialVersions : [])].map(([name, version]) => {
      const resource = available.get(name);
      return [name, { version, resource: resource?.version === version ? resource : undefined }] as const;
    });
    const resumes = known.some(([, { resource }]) => resource === undefined);
    const initialVersions = new Map(known);
    events.push({
      kind: "request",
      names,
      wildcard,
      named: true,
      subscribed: request.added,
      unsubscribed,
      initialVersions,
      resumes,
    });
  }

  /** The client ACKs or NACKs the response in flight. `blamed` are the names in the NACK's error detail. */
  answer(type: ResourceType, verdict: "accepted" | { readonly blamed: readonly string[] }): void {
    const response = this.#inFlight(type);
    if (response === undefined) throw new Error(`There is no ${type.shortName} response to answer`);
    this.#eventsOf(type).push({ kind: "answer", response });
    if (verdict === "accepted") {
      response.verdict = "accepted";
      return;
    }
    // While it is unknown what the client holds, a full response repeats even resources that it rejected. Sending the rest
    // again would fail again, so the resources that the NACK does not blame count as accepted.
    const restAccepted = this.#isFullState(type) && this.mayHoldEarlier(type);
    const blamed = verdict.blamed.filter((name) => response.changed.has(name));
    const namesRepeated = restAccepted && verdict.blamed.some((name) => response.repeated.has(name));
    response.verdict = {
      rejected: new Set(blamed.length > 0 || namesRepeated ? blamed : response.changed.keys()),
      restAccepted,
    };
  }

  /** Sends all responses that are due now, in push order. */
  respond(now: number): ResponseEvent[] {
    const responses: ResponseEvent[] = [];
    for (const type of resourceTypes) {
      if (this.#inFlight(type) !== undefined || this.#holdsBackUntil(type, now) > now) continue;
      const due = this.#due(type, this.#mayDelete(type, now));
      if (due === undefined) continue;
      const rewarmed = [...due.changed.values()].flatMap((resource) => resource.rewarms);
      const awaited = rewarmed.flatMap(({ typeUrl, name }) => resourcesOf(this.#newest, typeUrl).get(name) ?? []);
      const response: ResponseEvent = {
        kind: "response",
        type,
        ...due,
        awaited,
        sentAt: now,
        verdict: undefined,
      };
      this.#eventsOf(type).push(response);
      for (const { typeUrl, name } of rewarmed) this.#events.get(typeUrl)?.push({ kind: "rewarmed", name });
      responses.push(response);
    }
    return responses;
  }

  /** True when the client rejected this version on this stream and has not subscribed to the name again since. */
  isRejected(type: ResourceType, { name, version }: Pick<Resource, "name" | "version">): boolean {
    return this.#known(type, name).rejected.has(version);
  }

  /** True when a type that refers to this one stays on an older version, which may still need a deleted resource. */
  isNeededByRejected(type: ResourceType): boolean {
    return this.#usersOf(type).some((user) => this.#usesOlderVersion(user) || this.isNeededByRejected(user));
  }

  /** True while the client may hold versions from an earlier stream that this stream does not know. */
  mayHoldEarlier(type: ResourceType): boolean {
    const events = this.#eventsOf(type);
    if (!events.some((event) => event.kind === "request" && event.resumes)) return false;
    return !events.some((event, index) => {
      if (event.kind !== "answer" || event.response.verdict !== "accepted") return false;
      // After it accepts a full response, the client holds exactly that. Otherwise it must accept a version of each name.
      if (this.#isFullState(type)) return true;
      const known = this.#names(type).map((name) => this.#known(type, name, events.slice(0, index + 1)));
      return known.every(({ mayHold, accepted }) => !mayHold || accepted !== undefined);
    });
  }

  #eventsOf(type: ResourceType): StreamEvent[] {
    return this.#events.get(type.typeUrl) ?? [];
  }

  #inFlight(type: ResourceType): ResponseEvent | undefined {
    return this.#eventsOf(type).find((event) => event.kind === "response" && event.verdict === undefined) as
      | ResponseEvent
      | undefined;
  }

  #lastRequest(type: ResourceType): RequestEvent | undefined {
    return this.#eventsOf(type).findLast((event) => event.kind === "request");
  }

  #isFullState(type: ResourceType): boolean {
    return this.#variant === "sotw" && type.fullState;
  }

  /** What the client knows of a name after these events; by default after all events of the type. */
  #known(type: ResourceType, name: string, events: readonly StreamEvent[] = this.#eventsOf(type)): Known {
    let known = notWanted;
    for (const [index, event] of events.entries()) {
      if (event.kind === "request") known = afterRequest(known, event, name);
      else if (event.kind === "response") known = afterResponse(known, event, name);
      else if (event.kind === "answer") {
        const before = () => this.#known(type, name, events.slice(0, events.lastIndexOf(event.response, index)));
        known = afterAnswer(known, event.response, { name, before });
      } else if (event.name === name && known.version !== ABSENT) known = { ...known, version: undefined };
    }
    return known;
  }

  /** The newest resources of the type, and those that a response in flight waits for, even if they were deleted since. */
  #available(type: ResourceType): ResourceSet {
    const all = new Map(resourcesOf(this.#newest, type.typeUrl));
    for (const each of resourceTypes) {
      for (const resource of this.#inFlight(each)?.awaited ?? [])
        if (resource.typeUrl === type.typeUrl && !all.has(resource.name)) all.set(resource.name, resource);
    }
    return all;
  }

  /**
   * The resources that the client must be sent: each version that is new to it. If it rejected the newest version and
   * is due the name again, it gets the version that it accepted last.
   */
  #unsent(type: ResourceType, available: ResourceSet): Map<string, Resource> {
    const request = this.#lastRequest(type);
    const unsent = new Map<string, Resource>();
    for (const resource of available.values()) {
      const { name } = resource;
      if (!request?.wildcard && !request?.names.has(name)) continue;
      const { version, rejected, accepted } = this.#known(type, name);
      if (!rejected.has(resource.version)) {
        if (version !== resource.version) unsent.set(name, resource);
      } else if (version === undefined && accepted !== undefined) unsent.set(name, accepted);
    }
    return unsent;
  }

  /** The content of the next response, or undefined when none is due. */
  #due(type: ResourceType, mayDelete: boolean): Pick<ResponseEvent, "changed" | "repeated" | "gone"> | undefined {
    const request = this.#lastRequest(type);
    if (request === undefined || this.#inFlight(type) !== undefined) return undefined;
    const available = this.#available(type);
    const changed = this.#unsent(type, available);
    const missing = [...request.names].filter((name) => !available.has(name));
    const unreported = missing.filter((name) => {
      const { version, mayHold } = this.#known(type, name);
      return version === undefined && (type.sendsRemovals || !mayHold);
    });
    const canReportAbsence = this.#variant === "delta" || type.fullState;
    const gone = new Set(canReportAbsence ? [...(mayDelete ? this.#deleted(type) : []), ...unreported] : []);
    if (changed.size === 0 && gone.size === 0 && !this.#owesFirstResponse(type)) return undefined;
    return { changed, gone, repeated: this.#repeated(type, { available, changed, gone }) };
  }

  /** Deleted names that the client still holds. */
  #deleted(type: ResourceType): string[] {
    const request = this.#lastRequest(type);
    if (!type.sendsRemovals || (this.#variant === "sotw" && !type.fullState)) return [];
    const available = this.#available(type);
    const gone = this.#names(type).filter((name) => !available.has(name) && this.#known(type, name).mayHold);
    return gone.filter((name) => request?.wildcard || request?.names.has(name));
  }

  /** All names in any request or response of the type. */
  #names(type: ResourceType): string[] {
    const names = this.#eventsOf(type).flatMap((event) => {
      if (event.kind === "response") return [...event.changed.keys(), ...event.repeated.keys()];
      return event.kind === "request" ? [...event.initialVersions.keys(), ...event.names] : [];
    });
    return [...new Set(names)];
  }

  /**
   * Unchanged resources that a full response must repeat, because the client deletes what it leaves out. For a rejected
   * version, the version accepted last is repeated.
   */
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

  /**
   * A client that starts a wildcard subscription gets a response, even an empty one. A client that lists the versions it
   * holds started earlier, so it gets none.
   */
  #owesFirstResponse(type: ResourceType): boolean {
    let isOwed = false;
    let wasWildcard = false;
    for (const event of this.#eventsOf(type)) {
      if (event.kind === "response") isOwed = false;
      if (event.kind !== "request") continue;
      if (event.wildcard && !wasWildcard) isOwed = event.initialVersions.size === 0;
      if (!event.wildcard) isOwed = false;
      wasWildcard = event.wildcard;
    }
    return isOwed;
  }

  /** Make before break: resources that refer to clusters wait until the clusters in flight are ready, within the limits. */
  #holdsBackUntil(type: ResourceType, now: number): number {
    const waits = resourceTypes.map((used) => {
      const inFlight = this.#inFlight(used);
      if (inFlight === undefined || !used.answeredWhenReady || !used.usedBy.includes(type.shortName)) return 0;
      const until = inFlight.sentAt + this.#limits.holdLimitMs;
      if (until > now) return until;
      const hasMore = this.#unsent(used, resourcesOf(this.#newest, used.typeUrl)).size > 0;
      return hasMore ? inFlight.sentAt + this.#limits.unsentHoldLimitMs : until;
    });
    return Math.max(...waits);
  }

  /** Make before break: a deletion waits until the types that refer to it are sent and answered, within the limit. */
  #mayDelete(type: ResourceType, now: number): boolean {
    return this.#usersOf(type).every((user) => {
      if (this.#usesOlderVersion(user)) return false;
      const inFlight = this.#inFlight(user);
      if (inFlight !== undefined) return inFlight.sentAt + this.#limits.holdLimitMs <= now;
      return this.#due(user, true) === undefined;
    });
  }

  #usersOf(type: ResourceType): ResourceType[] {
    return resourceTypes.filter(({ shortName }) => type.usedBy.includes(shortName));
  }

  #usesOlderVersion(type: ResourceType): boolean {
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

export type RequestedNames =
  | { readonly list: readonly string[]; readonly resumes: boolean }
  | {
      readonly added: readonly string[];
      readonly removed: readonly string[];
      readonly initialVersions: ReadonlyMap<string, Version>;
    };

/** A response and the client's answer to it. */
export interface ResponseEvent {
  readonly kind: "response";
  readonly type: ResourceType;
  readonly changed: ReadonlyMap<string, Resource>;
  readonly repeated: ReadonlyMap<string, Resource>;
  readonly gone: ReadonlySet<string>;
  /** The resources that the client needs before it answers. */
  readonly awaited: readonly Resource[];
  readonly sentAt: number;
  /** Undefined until the client answers. */
  verdict: "accepted" | { readonly rejected: ReadonlySet<string>; readonly restAccepted: boolean } | undefined;
}

interface RequestEvent {
  readonly kind: "request";
  readonly names: ReadonlySet<string>;
  readonly wildcard: boolean;
  /** True when the request named anything. */
  readonly named: boolean;
  /** Names that this request subscribes to. They are sent again, whatever the client holds. */
  readonly subscribed: readonly string[];
  /** Names that a delta client unsubscribes from. Under a wildcard, their current state is sent again. */
  readonly unsubscribed: readonly string[];
  /** The versions that the client holds from an earlier stream. `resource` is set where that version is the newest one. */
  readonly initialVersions: ReadonlyMap<string, { readonly version: Version; readonly resource: Resource | undefined }>;
  readonly resumes: boolean;
}

type StreamEvent =
  | RequestEvent
  | ResponseEvent
  | { readonly kind: "answer"; readonly response: ResponseEvent }
  /** A resource of another type was sent, and the client waits for this name before it answers. */
  | { readonly kind: "rewarmed"; readonly name: string };

/** What a client knows of one name. */
interface Known {
  readonly isWanted: boolean;
  /** The version sent last. ABSENT: its absence was reported. Undefined: the name is due, or due again. */
  readonly version: Version | undefined;
  /** True when the client was sent a version and no deletion since. */
  readonly mayHold: boolean;
  readonly accepted: Resource | undefined;
  readonly rejected: ReadonlySet<Version>;
  /**
   * The version rejected last. A full response repeats it for a deleted name whose deletion must wait, if the client may
   * hold an unknown version of the name from an earlier stream.
   */
  readonly lastRejected: Resource | undefined;
}

/** Stands for the version of a resource that does not exist. */
const ABSENT = "";

/** For a name without a subscription. */
const notWanted: Known = {
  isWanted: false,
  version: undefined,
  mayHold: false,
  accepted: undefined,
  rejected: new Set(),
  lastRejected: undefined,
};

function afterRequest(
  known: Known,
  { names, wildcard, initialVersions, subscribed, unsubscribed }: RequestEvent,
  name: string,
): Known {
  if (!wildcard && !names.has(name)) return notWanted;
  const before = known.isWanted ? known : { ...notWanted, isWanted: true };
  const held = initialVersions.get(name);
  if (held !== undefined) return { ...before, version: held.version, mayHold: true, accepted: held.resource };
  if (subscribed.includes(name)) return { ...before, version: undefined, rejected: new Set() };
  return unsubscribed.includes(name) ? { ...before, version: undefined, rejected: new Set(), mayHold: true } : before;
}

function afterResponse(known: Known, { changed, gone }: ResponseEvent, name: string): Known {
  const version = changed.get(name)?.version;
  if (version !== undefined) return { ...known, version, mayHold: true };
  return gone.has(name)
    ? { ...known, version: ABSENT, mayHold: false, accepted: undefined, lastRejected: undefined }
    : known;
}

function afterAnswer(
  known: Known,
  { changed, repeated, gone, verdict }: ResponseEvent,
  { name, before }: { name: string; before: () => Known },
): Known {
  const resource = changed.get(name);
  if (!known.isWanted || verdict === undefined) return known;
  if (verdict === "accepted") {
    const accepted = resource ?? repeated.get(name);
    if (accepted === undefined) return known;
    const rejected = new Set([...known.rejected].filter((version) => version !== accepted.version));
    return { ...known, accepted, rejected, lastRejected: undefined, mayHold: true };
  }
  if (resource !== undefined && verdict.rejected.has(name)) {
    return {
      ...known,
      rejected: new Set([...known.rejected, resource.version]),
      lastRejected: resource,
      mayHold: true,
    };
  }
  // The client may have accepted a resource that the NACK does not blame. So it is sent again, and its deletion is sent.
  if (resource !== undefined) {
    const version = verdict.restAccepted ? known.version : undefined;
    return { ...known, version, accepted: resource, mayHold: true };
  }
  // A deletion beside a rejected resource is sent again too, or the resource if it exists again. A rejected response with
  // deletions only is not repeated.
  if (!gone.has(name) || known.version !== ABSENT || changed.size === 0 || verdict.restAccepted) return known;
  const earlier = before();
  return earlier.version === ABSENT ? earlier : { ...earlier, version: undefined };
}
