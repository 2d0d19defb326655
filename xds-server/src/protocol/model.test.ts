import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { type ResourceType, resourceType, resourceTypes } from "../resources/resource-types.ts";
import { type Resource, type ResourceSet, resourcesOf, type Snapshot } from "../resources/snapshot.ts";
import { ReferenceModel, type Told } from "./reference-model.ts";
import { onRequest, onSnapshot, onTime, openStream, type Response, type Step } from "./stream.ts";
import type { Stream } from "./stream-state.ts";
import { deltaRequest, resource, sotwRequest } from "./testing.ts";
import type { Variant } from "./type-stream.ts";

/** Each operation touches one of the clients, or all of them when it is a publication or time that passes. */
const operations = Number(process.env["CHANCERY_MODEL_OPERATIONS"] ?? 3_000);
const operationsARun = 250;
const clients = 20;
const limits = { holdLimitMs: 100, unsentHoldLimitMs: 300, maxRejections: 1000 };
/** One name is a part of another, as a client's reason for a rejection must not be misread. */
const names = ["n1", "n10", "n1-x", "n2"];
const versions = ["1", "2", "3"];
/** What one cluster more waits for than its own endpoints: endpoints that another cluster has too. */
const shared = "n2";

type Edit = { readonly type: string; readonly name: string; readonly version: string | null };
type Verdict = "take" | "blame one" | "blame none" | "blame another";

type Operation =
  | { readonly do: "publish"; readonly edits: readonly Edit[]; readonly anew: boolean }
  | { readonly do: "want"; readonly client: number; readonly type: string; readonly names: readonly string[] }
  | { readonly do: "answer"; readonly client: number; readonly open: number; readonly verdict: Verdict }
  | {
      readonly do: "answer and want";
      readonly client: number;
      readonly open: number;
      readonly names: readonly string[];
    }
  | { readonly do: "ask again"; readonly client: number; readonly type: string; readonly name: string }
  | { readonly do: "answer late"; readonly client: number; readonly type: string }
  | { readonly do: "reconnect"; readonly client: number; readonly forgets: boolean }
  | { readonly do: "wait"; readonly ms: number };

/** The state that operators want: a map of types to names to versions; unchanged parts stay the same objects. */
class Publisher {
  snapshot: Snapshot = { resources: new Map() };

  publish(edits: readonly Edit[], anew: boolean): void {
    const resources = new Map(this.snapshot.resources);
    for (const { type: shortName, name, version } of edits) {
      const type = resourceType(shortName);
      const set = new Map(resources.get(type.typeUrl));
      if (version === null) set.delete(name);
      else if (set.get(name)?.version !== version) set.set(name, made(type, name, version));
      resources.set(type.typeUrl, set);
    }
    // Equal content need not be the same object: it may have been built again.
    const copied = (set: ResourceSet) => new Map([...set].map(([name, each]) => [name, { ...each }] as const));
    this.snapshot = { resources: anew ? new Map([...resources].map(([url, set]) => [url, copied(set)])) : resources };
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

/** A response as a client sees it: names with versions, and the names that it is told are gone. */
interface Seen {
  readonly type: ResourceType;
  readonly nonce: string;
  readonly resources: ReadonlyMap<string, string>;
  readonly removed: readonly string[];
}

/** A client, the server's stream for it, and the model of what it is owed. */
class Client {
  readonly variant: Variant;
  readonly wanted = new Map<ResourceType, readonly string[]>();
  readonly holds = new Map<ResourceType, Map<string, string>>();
  /** What was said on this stream, for whoever has to find out what went wrong. */
  readonly said: string[] = [];
  readonly unanswered: Seen[] = [];
  model: ReferenceModel;
  readonly #hasTaken = new Set<ResourceType>();
  readonly #hasNamed = new Set<ResourceType>();
  /** What it goes on with, though a full response that it rejected left it out. */
  readonly #undeleted = new Map<ResourceType, Set<string>>();
  /** Types whose wishes changed while a response was on its way. */
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
    this.#take(onSnapshot(this.#stream, snapshot, now), now);
  }

  /** Time passes, and the server acts only when it said that it would. */
  pass(until: number): void {
    while (this.#wakeAt <= until) {
      const now = this.#wakeAt;
      this.#take(onTime(this.#stream, now), now);
      assert.ok(this.#wakeAt > now, "a wake-up that is asked for at once again");
    }
    assert.deepEqual(this.model.respond(until).map(lineOfTold), [], `something was due by ${until} and nobody woke`);
  }

  /** Changes what it wants. What is on its way was not seen yet, so state of the world speaks with an older nonce. */
  want(type: ResourceType, list: readonly string[], now: number): void {
    if (!this.wanted.has(type)) {
      this.#askFirst(type, list, now);
      return;
    }
    const isUnseen = this.unanswered.some((each) => each.type === type);
    // Two changes in one breath are one for state of the world: a name that leaves and comes back was never gone.
    if (this.variant === "sotw" && isUnseen && this.#hasChangedUnseen.has(type)) return;
    if (isUnseen) this.#hasChangedUnseen.add(type);
    const change = this.#change(type, list);
    const last = this.variant === "sotw" ? (this.#nonces.get(type) ?? "") : "";
    this.#ask(type, { nonce: isUnseen ? "older" : last, change }, now);
  }

  /** Delta only: says again that it wants a name, to be told of it whatever it knows. */
  askAgain(type: ResourceType, name: string, now: number): void {
    if (this.variant !== "delta" || !this.wanted.get(type)?.includes(name)) return;
    this.#ask(type, { nonce: "", change: { added: [name], removed: [] } }, now);
  }

  /** An answer to what was answered before. */
  answerLate(type: ResourceType, now: number): void {
    if (this.#nonces.has(type)) this.#ask(type, { nonce: "older", errorDetail: "n1 is rejected late" }, now);
  }

  answer(index: number, { verdict: wanted, list }: { verdict: Verdict; list?: readonly string[] }, now: number): void {
    const [seen] = this.unanswered.splice(index % Math.max(1, this.unanswered.length), 1);
    if (seen === undefined) return;
    const { type, nonce, resources } = seen;
    // What brings nothing new is not rejected.
    const news = [...resources].find(([name, version]) => this.holds.get(type)?.get(name) !== version)?.[0];
    const verdict = news === undefined ? "take" : wanted;
    const blamed = { take: [], "blame one": [news ?? ""], "blame none": [], "blame another": ["n3"] }[verdict];
    this.#apply(seen, verdict === "take" || verdict === "blame one" ? blamed : "nothing");
    const mayChange = this.variant === "delta" || !this.#hasChangedUnseen.has(type);
    const change = list === undefined || !mayChange ? { added: [], removed: [] } : this.#change(type, list);
    this.#hasChangedUnseen.delete(type);
    this.model.answer(type, verdict === "take" ? "taken" : { blamed });
    const errorDetail = `Error adding/updating ${blamed.join(", ")}: it is rejected`;
    this.#ask(type, { nonce, change, ...(verdict === "take" ? {} : { errorDetail }) }, now, true);
  }

  /** The connection is lost. The client comes back with what it holds, or as a new process that holds nothing. */
  reconnect(forgets: boolean, now: number): void {
    this.said.push("--- reconnects");
    this.model = new ReferenceModel(this.variant, this.#snapshot, limits);
    this.#stream = openStream(this.variant, this.#snapshot, limits);
    this.#wakeAt = Number.POSITIVE_INFINITY;
    this.unanswered.length = 0;
    this.#nonces.clear();
    this.#hasChangedUnseen.clear();
    this.#hasNamed.clear();
    if (forgets) {
      this.holds.clear();
      this.#hasTaken.clear();
    }
    const wanted = [...this.wanted];
    this.wanted.clear();
    for (const [type, list] of wanted) if (list.length > 0) this.#askFirst(type, list, now);
  }

  /** What it wants and must hold in the end. */
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
      // It rejected all that it was told since it came back, so nobody could tell it.
      if (this.variant === "sotw" && this.model.mayHoldEarlier(type)) continue;
      const left = [...holds.keys()].filter((name) => !available.has(name));
      assert.deepEqual(left, [], `${type.shortName} was deleted and is held in the end`);
    }
  }

  #askFirst(type: ResourceType, list: readonly string[], now: number): void {
    // No name at all is the older way to say that everything is wanted.
    const isLegacy = list.length === 0 || (list.length === 1 && list[0] === "*" && type.fullState);
    this.wanted.set(type, isLegacy ? ["*"] : list);
    const added = isLegacy ? [] : list;
    const holds = new Map([...(this.holds.get(type) ?? [])].filter(([name]) => wants(isLegacy ? ["*"] : list, name)));
    if (added.length > 0) this.#hasNamed.add(type);
    if (this.variant === "sotw") {
      const resumes = this.#hasTaken.has(type);
      this.model.ask(type, { list: added, resumes });
      this.#say(`${type.shortName} first [${added}]${resumes ? " resumes" : ""}`);
      this.#take(onRequest(this.#stream, sotwRequest(type.shortName, added, { resumes }), now), now);
      return;
    }
    this.model.ask(type, { added, removed: [], holds });
    this.#say(`${type.shortName} first [${added}] holds ${[...holds].map((each) => each.join("@"))}`);
    const request = deltaRequest(type.shortName, { added, initial: Object.fromEntries(holds) });
    this.#take(onRequest(this.#stream, request, now), now);
  }

  #change(type: ResourceType, next: readonly string[]): { added: string[]; removed: string[] } {
    const before = this.wanted.get(type) ?? [];
    // An empty list means everything to state of the world until something was named.
    const list = this.variant === "sotw" && next.length === 0 && !this.#hasNamed.has(type) ? ["*"] : next;
    this.wanted.set(type, list);
    const holds = this.holds.get(type);
    for (const name of holds?.keys() ?? []) if (!wants(list, name)) holds?.delete(name);
    return {
      added: list.filter((name) => !before.includes(name)),
      removed: before.filter((name) => !list.includes(name)),
    };
  }

  #ask(
    type: ResourceType,
    asking: { nonce: string; change?: { added: string[]; removed: string[] }; errorDetail?: string },
    now: number,
    isAnswer = false,
  ): void {
    const { nonce, change = { added: [], removed: [] }, errorDetail } = asking;
    const list = this.wanted.get(type) ?? [];
    const wish = this.variant === "sotw" ? `[${list}]` : `+[${change.added}] -[${change.removed}]`;
    this.#say(`${type.shortName} nonce "${nonce}" ${wish} ${errorDetail ?? ""}`);
    const said = { nonce, ...(errorDetail === undefined ? {} : { errorDetail }) };
    const isStale = this.variant === "sotw" && nonce !== (this.#nonces.get(type) ?? "");
    if (!isStale) {
      if (list.length > 0) this.#hasNamed.add(type);
      if (this.variant === "sotw") this.model.ask(type, { list, resumes: false });
      else if (change.added.length + change.removed.length > 0) this.model.ask(type, { ...change, holds: new Map() });
    }
    const request =
      this.variant === "sotw" ? sotwRequest(type.shortName, list, said) : deltaRequest(type.shortName, change, said);
    const step = onRequest(this.#stream, request, now);
    assert.deepEqual(
      step.answer && { nonce: step.answer.nonce, errorDetail: step.answer.errorDetail },
      isAnswer ? { nonce, errorDetail } : undefined,
      "what the server noted as an answer",
    );
    this.#take(step, now);
  }

  /** Compares what the server sent with what the model says is due. */
  #take(step: Step, now: number): void {
    this.#stream = step.stream;
    this.#wakeAt = step.wakeAt ?? Number.POSITIVE_INFINITY;
    const told = this.model.respond(now);
    const seen = step.responses.map((response) => this.#read(response));
    for (const each of seen) this.said.push(`  server: ${this.#line(each)}`);
    assert.deepEqual(
      seen.map((each) => this.#line(each)),
      told.map((each) => this.#line({ ...each, resources: resourcesOfTold(each), removed: [...each.gone] })),
      "what was sent, and what was due",
    );
    for (const [index, each] of seen.entries()) {
      const owed = told[index];
      if (owed !== undefined) owed.nonce = each.nonce;
      this.#receive(each);
    }
  }

  #read({ type, nonce, update: { changed, kept, removed } }: Response): Seen {
    const all = [...changed, ...kept];
    assert.equal(new Set(all.map(({ name }) => name)).size, all.length, `${type.shortName}: a name came twice`);
    for (const { name } of all) assert.ok(!removed.includes(name), `${type.shortName}: ${name} came and went`);
    return { type, nonce, resources: new Map(all.map(({ name, version }) => [name, version])), removed };
  }

  #receive(seen: Seen): void {
    const { type, nonce, resources } = seen;
    assert.notEqual(nonce, "", "a response without a nonce");
    assert.notEqual(nonce, this.#nonces.get(type), `${type.shortName}: two responses in a row with one nonce`);
    this.#nonces.set(type, nonce);
    assert.ok(!this.unanswered.some((each) => each.type === type), `${type.shortName}: two responses in flight`);
    this.unanswered.push(seen);
    if (this.variant === "delta" || !type.fullState) return;
    const available = resourcesOf(this.#snapshot, type.typeUrl);
    for (const name of this.holds.get(type)?.keys() ?? []) {
      const newest = available.get(name);
      if (newest === undefined || resources.has(name)) continue;
      // Who never took a whole response has no version to say, and comes back as one that holds nothing; and who rejects
      // a deletion is not told of it again by itself. What such a client rejected is left out.
      const isUnknown = !this.#hasTaken.has(type) || this.#undeleted.get(type)?.has(name);
      assert.ok(
        isUnknown && this.model.isRejected(type, newest),
        `${type.shortName}: ${name} is there and was left out`,
      );
    }
  }

  /** Takes a response but for what it blames, as Envoy and gRPC do. */
  #apply({ type, resources, removed }: Seen, blamed: readonly string[] | "nothing"): void {
    const left = [...(this.holds.get(type)?.keys() ?? [])].filter((name) => !resources.has(name));
    this.#undeleted.set(type, new Set(blamed === "nothing" ? left : []));
    if (blamed === "nothing") return;
    if (blamed.length === 0) this.#hasTaken.add(type);
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

  /** As the client sees it: state of the world can tell what is gone only by leaving it out. */
  #line({ type, resources, removed }: Pick<Seen, "type" | "resources" | "removed">): string {
    const present = [...resources].map((each) => each.join("@")).sort();
    return [
      type.shortName,
      ...present,
      ...(this.variant === "delta" ? [...removed].sort().map((name) => `-${name}`) : []),
    ].join(" ");
  }

  #say(text: string): void {
    this.said.push(`client: ${text}`);
  }
}

function resourcesOfTold({ changed, repeated }: Told): Map<string, string> {
  return new Map([...changed, ...repeated].map(([name, { version }]) => [name, version]));
}

function lineOfTold(told: Told): string {
  return `${told.type.shortName} ${[...resourcesOfTold(told)].join(" ")} gone ${[...told.gone]}`;
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
        throw new Error(`${who}: ${(error as Error).message}\n${client.said.join("\n")}`, { cause: error });
      }
    }
  };
  for (const operation of sequence) {
    now += 1;
    each((client) => client.pass(now));
    if (operation.do === "publish") {
      publisher.publish(operation.edits, operation.anew);
      each((client) => client.publish(publisher.snapshot, now));
    } else if (operation.do === "wait") {
      now += operation.ms;
      each((client) => client.pass(now));
    } else each((client) => act(client, operation, now), [all[operation.client] as Client]);
  }
  each((client) => {
    for (let round = 0; client.unanswered.length > 0; round += 1) {
      assert.ok(round < 100, "the exchange does not come to rest");
      client.answer(0, { verdict: "take" }, now);
    }
    client.check();
  });
}

function act(client: Client, operation: Exclude<Operation, { do: "publish" | "wait" }>, now: number): void {
  if (operation.do === "want") client.want(resourceType(operation.type), operation.names, now);
  else if (operation.do === "answer") client.answer(operation.open, operation, now);
  else if (operation.do === "answer and want") {
    client.answer(operation.open, { verdict: "take", list: operation.names }, now);
  } else if (operation.do === "ask again") client.askAgain(resourceType(operation.type), operation.name, now);
  else if (operation.do === "answer late") client.answerLate(resourceType(operation.type), now);
  else client.reconnect(operation.forgets, now);
}

const aClient = fc.nat(clients - 1);
/** What is asked for by aliases follows rules of its own. */
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
      anew: fc.boolean(),
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
        { weight: 6, arbitrary: fc.constant("take" as const) },
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
    arbitrary: fc.record({ do: fc.constant("ask again" as const), client: aClient, type: aType, name: aName }),
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

/** Leaves out whatever the failure does not need, in ever smaller pieces. */
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

describe("twenty streams over one core, against a model of what each client is owed", () => {
  const firstSeed = Number(process.env["CHANCERY_MODEL_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
  test(`agree in ${operations} random operations, beginning with the seed ${firstSeed}`, () => {
    const sequences = fc.array(anOperation, { minLength: operationsARun, maxLength: operationsARun });
    for (let index = 0; index < operations / operationsARun; index++) {
      const seed = firstSeed + index;
      const [sequence = []] = fc.sample(sequences, { seed, numRuns: 1 });
      if (failure(sequence) === undefined) continue;
      const short = shortest(sequence);
      const steps = short.map((operation) => JSON.stringify(operation)).join("\n");
      assert.fail(`CHANCERY_MODEL_SEED=${seed} fails, at its shortest with:\n${steps}\n${failure(short)?.message}`);
    }
  });
});
