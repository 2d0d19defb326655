import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { type ResourceType, resourceType, resourceTypes } from "../resources/resource-types.ts";
import { type Resource, type ResourceSet, resourcesOf, type Snapshot } from "../resources/snapshot.ts";
import { ReferenceModel, type ResponseEvent } from "./reference-model.ts";
import { onRequest, onSnapshot, onTime, openStream, type Response, type Step } from "./stream.ts";
import type { Stream } from "./stream-state.ts";
import { deltaRequest, resource, sotwRequest } from "./testing.ts";
import type { Variant } from "./type-stream.ts";

/** The number of random operations. A publication or a wait affects all clients, every other operation affects one. */
const operations = Number(process.env["CHANCERY_MODEL_OPERATIONS"] ?? 3_000);
const operationsARun = 250;
const clients = 20;
const limits = { holdLimitMs: 100, unsentHoldLimitMs: 300, maxRejections: 1000 };
/** Some names contain others, because the error detail of a NACK must not be misread. */
const names = ["n1", "n10", "n1-x", "n2"];
const versions = ["1", "2", "3"];
/** Endpoints that two clusters wait for. */
const shared = "n2";

type Edit = { readonly type: string; readonly name: string; readonly version: string | null };
type Verdict = "accept" | "blame one" | "blame none" | "blame another";

type Operation =
  | { readonly do: "publish"; readonly edits: readonly Edit[]; readonly rebuilt: boolean }
  | { readonly do: "want"; readonly client: number; readonly type: string; readonly names: readonly string[] }
  | { readonly do: "answer"; readonly client: number; readonly open: number; readonly verdict: Verdict }
  | {
      readonly do: "answer and want";
      readonly client: number;
      readonly open: number;
      readonly names: readonly string[];
    }
  | { readonly do: "resubscribe"; readonly client: number; readonly type: string; readonly name: string }
  | { readonly do: "answer late"; readonly client: number; readonly type: string }
  | { readonly do: "reconnect"; readonly client: number; readonly forgets: boolean }
  | { readonly do: "wait"; readonly ms: number };

/** Publishes snapshots. Unchanged parts stay the same objects. */
class Publisher {
  snapshot: Snapshot = { resources: new Map() };

  publish(edits: readonly Edit[], rebuilt: boolean): void {
    const resources = new Map(this.snapshot.resources);
    for (const { type: shortName, name, version } of edits) {
      const type = resourceType(shortName);
      const set = new Map(resources.get(type.typeUrl));
      if (version === null) set.delete(name);
      else if (set.get(name)?.version !== version) set.set(name, made(type, name, version));
      resources.set(type.typeUrl, set);
    }
    // Equal content may be another object, because it was built again.
    const copied = (set: ResourceSet) => new Map([...set].map(([name, each]) => [name, { ...each }] as const));
    this.snapshot = {
      resources: rebuilt ? new Map([...resources].map(([url, set]) => [url, copied(set)])) : resources,
    };
  }
}

function made(type: ResourceType, name: string, version: string): Resource {
  if (type.shortName !== "CDS") return resource(type.shortName, name, version);
  const endpoints = version === "3" ? [] : name === "n1" ? [name, shared] : [name];
  const { typeUrl } = resourceType("EDS");
  return resource(
    "CDS",
    name,
    version,
    endpoints.map((each) => ({ typeUrl, name: each })),
  );
}

/** A response as a client sees it: names with versions, and the removed names. */
interface Received {
  readonly type: ResourceType;
  readonly nonce: string;
  readonly resources: ReadonlyMap<string, string>;
  readonly removed: readonly string[];
}

/** A client, the server's stream for it, and the model of that stream. */
class Client {
  readonly variant: Variant;
  readonly wanted = new Map<ResourceType, readonly string[]>();
  readonly holds = new Map<ResourceType, Map<string, string>>();
  /** All requests and responses of this stream. The message of a failure lists them. */
  readonly transcript: string[] = [];
  readonly unanswered: Received[] = [];
  model: ReferenceModel;
  readonly #hasAccepted = new Set<ResourceType>();
  readonly #hasNamed = new Set<ResourceType>();
  /** Names that the client still holds because it rejected a full response without them. */
  readonly #undeleted = new Map<ResourceType, Set<string>>();
  /** Types whose subscription changed while a response was on its way. */
  readonly #hasChangedUnseen = new Set<ResourceType>();
  readonly #nonces = new Map<ResourceType, string>();
  #stream: Stream;
  #snapshot: Snapshot;
  #wakeAt = Number.POSITIVE_INFINITY;

  constructor(variant: Variant, snapshot: Snapshot) {
    this.variant = variant;
    this.#snapshot = snapshot;
    this.model = new ReferenceModel(variant, snapshot, limits);
    this.#stream = openStream(variant, snapshot, limits);
  }

  publish(snapshot: Snapshot, now: number): void {
    this.#snapshot = snapshot;
    this.model.publish(snapshot);
    this.#compare(onSnapshot(this.#stream, snapshot, now), now);
  }

  /** Time passes. The server acts only at the times that it asked for. */
  pass(until: number): void {
    while (this.#wakeAt <= until) {
      const now = this.#wakeAt;
      this.#compare(onTime(this.#stream, now), now);
      assert.ok(this.#wakeAt > now, "the server asks for the same wake-up time again");
    }
    assert.deepEqual(
      this.model.respond(until).map(lineOfDue),
      [],
      `a response was due by ${until}, and the server did not ask for a wake-up`,
    );
  }

  /** Changes the subscription. While a response is on its way, a state-of-the-world request carries an older nonce. */
  want(type: ResourceType, list: readonly string[], now: number): void {
    if (!this.wanted.has(type)) {
      this.#requestFirst(type, list, now);
      return;
    }
    const isUnseen = this.unanswered.some((each) => each.type === type);
    // The server ignores state-of-the-world requests with an older nonce. Of two such changes it sees only the result, so a
    // name that is removed and added again was never gone.
    if (this.variant === "sotw" && isUnseen && this.#hasChangedUnseen.has(type)) return;
    if (isUnseen) this.#hasChangedUnseen.add(type);
    const change = this.#change(type, list);
    const last = this.variant === "sotw" ? (this.#nonces.get(type) ?? "") : "";
    this.#request(type, { nonce: isUnseen ? "older" : last, change }, now);
  }

  /** Delta only: subscribes to a name again, so that it is sent again. */
  resubscribe(type: ResourceType, name: string, now: number): void {
    if (this.variant !== "delta" || !this.wanted.get(type)?.includes(name)) return;
    this.#request(type, { nonce: "", change: { added: [name], removed: [] } }, now);
  }

  /** A NACK of a response that the client has already answered. */
  answerLate(type: ResourceType, now: number): void {
    if (this.#nonces.has(type)) this.#request(type, { nonce: "older", errorDetail: "n1 is rejected late" }, now);
  }

  answer(index: number, { verdict: wanted, list }: { verdict: Verdict; list?: readonly string[] }, now: number): void {
    const [received] = this.unanswered.splice(index % Math.max(1, this.unanswered.length), 1);
    if (received === undefined) return;
    const { type, nonce, resources } = received;
    // A client does not reject a response without a new version.
    const news = [...resources].find(([name, version]) => this.holds.get(type)?.get(name) !== version)?.[0];
    const verdict = news === undefined ? "accept" : wanted;
    const blamed = { accept: [], "blame one": [news ?? ""], "blame none": [], "blame another": ["n3"] }[verdict];
    this.#apply(received, verdict === "accept" || verdict === "blame one" ? blamed : "nothing");
    const mayChange = this.variant === "delta" || !this.#hasChangedUnseen.has(type);
    const change = list === undefined || !mayChange ? { added: [], removed: [] } : this.#change(type, list);
    this.#hasChangedUnseen.delete(type);
    this.model.answer(type, verdict === "accept" ? "accepted" : { blamed });
    const errorDetail = `Error adding/updating ${blamed.join(", ")}: it is rejected`;
    this.#request(type, { nonce, change, ...(verdict === "accept" ? {} : { errorDetail }) }, now, true);
  }

  /** The connection is lost. The client reconnects with what it holds, or as a new process that holds nothing. */
  reconnect(forgets: boolean, now: number): void {
    this.transcript.push("--- reconnects");
    this.model = new ReferenceModel(this.variant, this.#snapshot, limits);
    this.#stream = openStream(this.variant, this.#snapshot, limits);
    this.#wakeAt = Number.POSITIVE_INFINITY;
    this.unanswered.length = 0;
    this.#nonces.clear();
    this.#hasChangedUnseen.clear();
    this.#hasNamed.clear();
    if (forgets) {
      this.holds.clear();
      this.#hasAccepted.clear();
    }
    const wanted = [...this.wanted];
    this.wanted.clear();
    for (const [type, list] of wanted) if (list.length > 0) this.#requestFirst(type, list, now);
  }

  /** Checks that the client holds what it wants in the end. */
  check(): void {
    for (const [type, wanted] of this.wanted) {
      const available = resourcesOf(this.#snapshot, type.typeUrl);
      const holds = this.holds.get(type) ?? new Map();
      for (const each of available.values()) {
        if (!wants(wanted, each.name)) continue;
        if (this.model.isRejected(type, each)) continue;
        assert.equal(holds.get(each.name), each.version, `${type.shortName} ${each.name} in the end`);
      }
      const canTellDeletions = type.sendsRemovals && (this.variant === "delta" || type.fullState);
      if (!canTellDeletions || this.model.isNeededByRejected(type)) continue;
      // The client rejected every response since it reconnected, so it got no deletion.
      if (this.variant === "sotw" && this.model.mayHoldEarlier(type)) continue;
      const left = [...holds.keys()].filter((name) => !available.has(name));
      assert.deepEqual(left, [], `${type.shortName} was deleted and is held in the end`);
    }
  }

  #requestFirst(type: ResourceType, list: readonly string[], now: number): void {
    // A first request without names is the legacy way to subscribe to everything.
    const isLegacy = list.length === 0 || (list.length === 1 && list[0] === "*" && type.fullState);
    this.wanted.set(type, isLegacy ? ["*"] : list);
    const added = isLegacy ? [] : list;
    const holds = new Map([...(this.holds.get(type) ?? [])].filter(([name]) => wants(isLegacy ? ["*"] : list, name)));
    if (added.length > 0) this.#hasNamed.add(type);
    if (this.variant === "sotw") {
      const resumes = this.#hasAccepted.has(type);
      this.model.request(type, { list: added, resumes });
      this.#log(`${type.shortName} first [${added}]${resumes ? " resumes" : ""}`);
      this.#compare(onRequest(this.#stream, sotwRequest(type.shortName, added, { resumes }), now), now);
      return;
    }
    this.model.request(type, { added, removed: [], initialVersions: holds });
    this.#log(`${type.shortName} first [${added}] holds ${[...holds].map((each) => each.join("@"))}`);
    const request = deltaRequest(type.shortName, { added, initial: Object.fromEntries(holds) });
    this.#compare(onRequest(this.#stream, request, now), now);
  }

  #change(type: ResourceType, next: readonly string[]): { added: string[]; removed: string[] } {
    const before = this.wanted.get(type) ?? [];
    // In state of the world, an empty list means everything until a name was given.
    const list = this.variant === "sotw" && next.length === 0 && !this.#hasNamed.has(type) ? ["*"] : next;
    this.wanted.set(type, list);
    const holds = this.holds.get(type);
    for (const name of holds?.keys() ?? []) if (!wants(list, name)) holds?.delete(name);
    return {
      added: list.filter((name) => !before.includes(name)),
      removed: before.filter((name) => !list.includes(name)),
    };
  }

  #request(
    type: ResourceType,
    options: { nonce: string; change?: { added: string[]; removed: string[] }; errorDetail?: string },
    now: number,
    isAnswer = false,
  ): void {
    const { nonce, change = { added: [], removed: [] }, errorDetail } = options;
    const list = this.wanted.get(type) ?? [];
    const names = this.variant === "sotw" ? `[${list}]` : `+[${change.added}] -[${change.removed}]`;
    this.#log(`${type.shortName} nonce "${nonce}" ${names} ${errorDetail ?? ""}`);
    const requestOptions = { nonce, ...(errorDetail === undefined ? {} : { errorDetail }) };
    const isStale = this.variant === "sotw" && nonce !== (this.#nonces.get(type) ?? "");
    if (!isStale) {
      if (list.length > 0) this.#hasNamed.add(type);
      if (this.variant === "sotw") this.model.request(type, { list, resumes: false });
      else if (change.added.length + change.removed.length > 0)
        this.model.request(type, { ...change, initialVersions: new Map() });
    }
    const request =
      this.variant === "sotw"
        ? sotwRequest(type.shortName, list, requestOptions)
        : deltaRequest(type.shortName, change, requestOptions);
    const step = onRequest(this.#stream, request, now);
    assert.deepEqual(
      step.answer && { nonce: step.answer.nonce, errorDetail: step.answer.errorDetail },
      isAnswer ? { nonce, errorDetail } : undefined,
      "the answer that the server recorded",
    );
    this.#compare(step, now);
  }

  /** Compares what the server sent with what is due by the model. */
  #compare(step: Step, now: number): void {
    this.#stream = step.stream;
    this.#wakeAt = step.wakeAt ?? Number.POSITIVE_INFINITY;
    const due = this.model.respond(now);
    const received = step.responses.map((response) => this.#read(response));
    for (const each of received) this.transcript.push(`  server: ${this.#line(each)}`);
    assert.deepEqual(
      received.map((each) => this.#line(each)),
      due.map((each) => this.#line({ ...each, resources: dueResources(each), removed: [...each.gone] })),
      "what was sent differs from what was due",
    );
    for (const each of received) this.#receive(each);
  }

  #read({ type, nonce, update: { changed, kept, removed } }: Response): Received {
    const all = [...changed, ...kept];
    assert.equal(new Set(all.map(({ name }) => name)).size, all.length, `${type.shortName}: a name came twice`);
    for (const { name } of all)
      assert.ok(!removed.includes(name), `${type.shortName}: ${name} is both sent and removed`);
    return { type, nonce, resources: new Map(all.map(({ name, version }) => [name, version])), removed };
  }

  #receive(received: Received): void {
    const { type, nonce, resources } = received;
    assert.notEqual(nonce, "", "a response without a nonce");
    assert.notEqual(nonce, this.#nonces.get(type), `${type.shortName}: two responses in a row with one nonce`);
    this.#nonces.set(type, nonce);
    assert.ok(!this.unanswered.some((each) => each.type === type), `${type.shortName}: two responses in flight`);
    this.unanswered.push(received);
    if (this.variant === "delta" || !type.fullState) return;
    const available = resourcesOf(this.#snapshot, type.typeUrl);
    for (const name of this.holds.get(type)?.keys() ?? []) {
      const newest = available.get(name);
      if (newest === undefined || resources.has(name)) continue;
      // A rejected resource may be left out in two cases. A client that never accepted a whole response has no version to
      // name when it reconnects, so it counts as one that holds nothing. A client that rejected a deletion still holds the
      // resource, but the deletion is not repeated.
      const isUnknown = !this.#hasAccepted.has(type) || this.#undeleted.get(type)?.has(name);
      assert.ok(isUnknown && this.model.isRejected(type, newest), `${type.shortName}: ${name} exists and was left out`);
    }
  }

  /** Applies a response without the blamed resources, as Envoy and gRPC do. */
  #apply({ type, resources, removed }: Received, blamed: readonly string[] | "nothing"): void {
    const left = [...(this.holds.get(type)?.keys() ?? [])].filter((name) => !resources.has(name));
    this.#undeleted.set(type, new Set(blamed === "nothing" ? left : []));
    if (blamed === "nothing") return;
    if (blamed.length === 0) this.#hasAccepted.add(type);
    const before = this.holds.get(type) ?? new Map<string, string>();
    const after = this.variant === "sotw" && type.fullState ? new Map<string, string>() : new Map(before);
    const wanted = this.wanted.get(type) ?? [];
    for (const [name, version] of resources) {
      const old = before.get(name);
      if (!blamed.includes(name)) {
        if (wants(wanted, name)) after.set(name, version);
      } else if (old !== undefined) after.set(name, old);
    }
    if (this.variant === "delta") for (const name of removed) after.delete(name);
    this.holds.set(type, after);
  }

  /** A response in one line, as the client sees it. State of the world leaves removed names out, so they are not listed. */
  #line({ type, resources, removed }: Pick<Received, "type" | "resources" | "removed">): string {
    const present = [...resources].map((each) => each.join("@")).sort();
    return [
      type.shortName,
      ...present,
      ...(this.variant === "delta" ? [...removed].sort().map((name) => `-${name}`) : []),
    ].join(" ");
  }

  #log(text: string): void {
    this.transcript.push(`client: ${text}`);
  }
}

function dueResources({ changed, repeated }: ResponseEvent): Map<string, string> {
  return new Map([...changed, ...repeated].map(([name, { version }]) => [name, version]));
}

function lineOfDue(due: ResponseEvent): string {
  return `${due.type.shortName} ${[...dueResources(due)].join(" ")} gone ${[...due.gone]}`;
}

function wants(list: readonly string[], name: string): boolean {
  return list.includes("*") || list.includes(name);
}

function run(sequence: readonly Operation[]): void {
  const publisher = new Publisher();
  const all = Array.from(
    { length: clients },
    (_, index) => new Client(index % 2 === 0 ? "sotw" : "delta", publisher.snapshot),
  );
  let now = 1000;
  const each = (work: (client: Client) => void, chosen: readonly Client[] = all) => {
    for (const client of chosen) {
      try {
        work(client);
      } catch (error) {
        const who = `client ${all.indexOf(client)} (${client.variant})`;
        throw new Error(`${who}: ${(error as Error).message}\n${client.transcript.join("\n")}`, { cause: error });
      }
    }
  };
  for (const operation of sequence) {
    now += 1;
    each((client) => client.pass(now));
    if (operation.do === "publish") {
      publisher.publish(operation.edits, operation.rebuilt);
      each((client) => client.publish(publisher.snapshot, now));
    } else if (operation.do === "wait") {
      now += operation.ms;
      each((client) => client.pass(now));
    } else each((client) => act(client, operation, now), [all[operation.client] as Client]);
  }
  each((client) => {
    for (let round = 0; client.unanswered.length > 0; round += 1) {
      assert.ok(round < 100, "the exchange does not end");
      client.answer(0, { verdict: "accept" }, now);
    }
    client.check();
  });
}

function act(client: Client, operation: Exclude<Operation, { do: "publish" | "wait" }>, now: number): void {
  if (operation.do === "want") client.want(resourceType(operation.type), operation.names, now);
  else if (operation.do === "answer") client.answer(operation.open, operation, now);
  else if (operation.do === "answer and want") {
    client.answer(operation.open, { verdict: "accept", list: operation.names }, now);
  } else if (operation.do === "resubscribe") client.resubscribe(resourceType(operation.type), operation.name, now);
  else if (operation.do === "answer late") client.answerLate(resourceType(operation.type), now);
  else client.reconnect(operation.forgets, now);
}

const aClient = fc.nat(clients - 1);
/** Types with aliases follow other rules, which the model does not know. */
const aType = fc.constantFrom(
  ...resourceTypes.filter(({ hasAliases }) => !hasAliases).map(({ shortName }) => shortName),
);
const aName = fc.constantFrom(...names);
const aList = fc.oneof(
  { weight: 2, arbitrary: fc.subarray([...names, "ghost"]) },
  { weight: 2, arbitrary: fc.constant(["*"]) },
  { weight: 1, arbitrary: fc.subarray(names).map((some) => ["*", ...some]) },
);
const anEdit = fc.record({
  type: aType,
  name: aName,
  version: fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...versions) },
    { weight: 1, arbitrary: fc.constant(null) },
  ),
});
const anOperation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant("publish" as const),
      edits: fc.array(anEdit, { minLength: 1, maxLength: 8 }),
      rebuilt: fc.boolean(),
    }),
  },
  {
    weight: 30,
    arbitrary: fc.record({ do: fc.constant("want" as const), client: aClient, type: aType, names: aList }),
  },
  {
    weight: 60,
    arbitrary: fc.record({
      do: fc.constant("answer" as const),
      client: aClient,
      open: fc.nat(7),
      verdict: fc.oneof(
        { weight: 6, arbitrary: fc.constant("accept" as const) },
        {
          weight: 1,
          arbitrary: fc.constantFrom("blame one" as const, "blame none" as const, "blame another" as const),
        },
      ),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("answer and want" as const),
      client: aClient,
      open: fc.nat(7),
      names: aList,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("resubscribe" as const), client: aClient, type: aType, name: aName }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("answer late" as const), client: aClient, type: aType }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("reconnect" as const), client: aClient, forgets: fc.boolean() }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.constantFrom(1, 50, 100, 300) }) },
);

function failure(sequence: readonly Operation[]): Error | undefined {
  try {
    run(sequence);
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

/** Removes all operations that the failure does not need, in smaller and smaller pieces. */
function shortest(sequence: readonly Operation[]): readonly Operation[] {
  let kept = sequence;
  for (let size = Math.ceil(kept.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let start = kept.length - size; start > -size; start -= size) {
      const without = kept.toSpliced(Math.max(0, start), size);
      if (failure(without) !== undefined) kept = without;
    }
  }
  for (const [index, operation] of kept.entries()) {
    if (operation.do !== "publish") continue;
    for (const edit of operation.edits) {
      const now = kept[index] as typeof operation;
      const without = kept.with(index, { ...now, edits: now.edits.filter((each) => each !== edit) });
      if (failure(without) !== undefined) kept = without;
    }
  }
  return kept;
}

describe("twenty streams and a reference model of each", () => {
  const firstSeed = Number(process.env["CHANCERY_MODEL_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
  test(`agree after each of ${operations} random operations, starting with seed ${firstSeed}`, () => {
    const sequences = fc.array(anOperation, { minLength: operationsARun, maxLength: operationsARun });
    for (let index = 0; index < operations / operationsARun; index++) {
      const seed = firstSeed + index;
      const [sequence = []] = fc.sample(sequences, { seed, numRuns: 1 });
      if (failure(sequence) === undefined) continue;
      const short = shortest(sequence);
      const steps = short.map((operation) => JSON.stringify(operation)).join("\n");
      assert.fail(`CHANCERY_MODEL_SEED=${seed} fails. The shortest sequence:\n${steps}\n${failure(short)?.message}`);
    }
  });
});
