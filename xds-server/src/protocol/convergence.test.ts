import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { resourceType, type TypeUrl } from "../resources/resource-types.ts";
import { resourcesOf, type Snapshot } from "../resources/snapshot.ts";
import { onRequest, onSnapshot, onTime, openStream, type Request, type Response, type Step } from "./stream.ts";
import type { Stream } from "./stream-state.ts";
import { deltaRequest, snapshot, sotwRequest } from "./testing.ts";
import type { Variant } from "./type-stream.ts";

const types = ["CDS", "EDS", "LDS", "RDS"] as const;
const names = ["a", "b", "c", "d"];
/** A version that every client of this test rejects. */
const BAD = "bad";

/** A client that follows the protocol: it applies responses, answers them late and changes its subscriptions. */
class Client {
  readonly holds = new Map<string, Map<string, string>>();
  readonly wanted = new Map<string, Set<string> | "*">();
  readonly unanswered: Response[] = [];
  readonly #lastNonce = new Map<string, string>();
  readonly #variant: Variant;

  constructor(variant: Variant) {
    this.#variant = variant;
  }

  receive(response: Response): void {
    const { type, nonce, update } = response;
    const held = this.holds.get(type.shortName) ?? new Map<string, string>();
    const all = [...update.changed, ...update.kept];
    assert.equal(new Set(all.map(({ name }) => name)).size, all.length, "a name came twice in one response");
    if (!this.#rejects(response)) {
      if (this.#variant === "sotw" && type.fullState) held.clear();
      for (const { name, version } of all) held.set(name, version);
      if (this.#variant === "delta") for (const name of update.removed) held.delete(name);
    }
    this.holds.set(type.shortName, held);
    this.#lastNonce.set(type.shortName, nonce);
    this.unanswered.push(response);
  }

  #rejects({ update }: Response): string | undefined {
    const bad = [...update.changed, ...update.kept].find(({ version }) => version === BAD);
    return bad && `resource ${bad.name} is bad`;
  }

  /** Answers the oldest response. */
  answer(): Request | undefined {
    const response = this.unanswered.shift();
    if (response === undefined) return undefined;
    const errorDetail = this.#rejects(response);
    return this.#request(response.type.shortName, { added: [], removed: [] }, response.nonce, errorDetail);
  }

  /** Changes the subscription, but not while a response is unanswered: a state-of-the-world request carries the last nonce. */
  want(shortName: string, next: Set<string>): Request | undefined {
    if (this.unanswered.some(({ type }) => type.shortName === shortName)) return undefined;
    const before = this.wanted.get(shortName);
    if (before === "*") return undefined;
    const old = before ?? new Set<string>();
    const added = [...next].filter((name) => !old.has(name));
    const removed = [...old].filter((name) => !next.has(name));
    if (before === undefined && next.size === 0) return undefined;
    this.wanted.set(shortName, next);
    for (const name of removed) this.holds.get(shortName)?.delete(name);
    return this.#request(shortName, { added, removed }, this.#lastNonce.get(shortName) ?? "");
  }

  wantAll(shortName: string): Request | undefined {
    if (this.wanted.has(shortName)) return undefined;
    this.wanted.set(shortName, "*");
    return this.#request(shortName, { added: [], removed: [] }, "");
  }

  #request(
    shortName: string,
    change: { added: string[]; removed: string[] },
    nonce: string,
    errorDetail?: string,
  ): Request {
    const options = errorDetail === undefined ? { nonce } : { nonce, errorDetail };
    if (this.#variant === "delta") return deltaRequest(shortName, change, options);
    const wanted = this.wanted.get(shortName);
    return sotwRequest(shortName, wanted === "*" || wanted === undefined ? [] : [...wanted], options);
  }
}

type Action =
  | { readonly do: "publish"; readonly versions: Record<string, Record<string, string>> }
  | { readonly do: "want"; readonly type: string; readonly names: string[] }
  | { readonly do: "wantAll"; readonly type: string }
  | { readonly do: "answer" }
  | { readonly do: "wait" };

const version = fc.constantFrom("1", "2", "3", BAD);
const set = fc.dictionary(fc.constantFrom(...names), version, { noNullPrototype: true });
const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("publish" as const),
      versions: fc.record({ CDS: set, EDS: set, LDS: set, RDS: set }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("want" as const),
      type: fc.constantFrom("EDS", "RDS"),
      names: fc.uniqueArray(fc.constantFrom(...names)),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("wantAll" as const), type: fc.constantFrom("CDS", "LDS") }) },
  { weight: 5, arbitrary: fc.constant({ do: "answer" as const }) },
  { weight: 1, arbitrary: fc.constant({ do: "wait" as const }) },
);

function run(variant: Variant, actions: readonly Action[]): { client: Client; stream: Stream } {
  const client = new Client(variant);
  let now = 0;
  let published: Snapshot = snapshot({});
  let stream = openStream(variant, published, { holdLimitMs: 100, unsentHoldLimitMs: 300, maxRejections: 100 });
  const take = (step: Step) => {
    stream = step.stream;
    for (const response of step.responses) client.receive(response);
  };
  const ask = (request: Request | undefined) => {
    if (request !== undefined) take(onRequest(stream, request, now));
  };
  for (const each of actions) {
    now += 1;
    if (each.do === "publish") {
      published = snapshot(each.versions);
      take(onSnapshot(stream, published, now));
    } else if (each.do === "want") ask(client.want(each.type, new Set(each.names)));
    else if (each.do === "wantAll") ask(client.wantAll(each.type));
    else if (each.do === "answer") ask(client.answer());
    else {
      now += 100;
      take(onTime(stream, now));
    }
    for (const { type } of client.unanswered) {
      const inFlight = client.unanswered.filter((other) => other.type === type);
      assert.equal(inFlight.length, 1, "two responses of one type were in flight");
    }
  }
  for (let round = 0; client.unanswered.length > 0; round += 1) {
    assert.ok(round < 200, "the exchange does not end");
    now += 1;
    ask(client.answer());
  }
  return { client, stream };
}

/** In the end, the client must hold the newest version of everything that it wants, unless that is the bad one. */
function checkConverged(variant: Variant, { client, stream }: { client: Client; stream: Stream }): void {
  for (const shortName of types) {
    const wanted = client.wanted.get(shortName);
    if (wanted === undefined) continue;
    const type = resourceType(shortName);
    const available = resourcesOf(stream.snapshot, type.typeUrl as TypeUrl);
    const held = client.holds.get(shortName) ?? new Map();
    for (const { name, version: newest } of available.values()) {
      if (wanted !== "*" && !wanted.has(name)) continue;
      if (newest === BAD) assert.notEqual(held.get(name), BAD, `${shortName} ${name} is held although it was rejected`);
      else assert.equal(held.get(name), newest, `${shortName} ${name}`);
    }
    if (variant === "sotw" && !type.fullState) continue; // such a stream cannot report deletions
    if (isUsedByRejected(stream, shortName)) continue; // an older version may still need the deleted resource
    for (const name of held.keys())
      assert.ok(available.has(name), `${shortName} ${name} was deleted and is still held`);
  }
}

function isUsedByRejected(stream: Stream, shortName: string): boolean {
  return resourceType(shortName).usedBy.some((user) => {
    const { typeUrl } = resourceType(user);
    const hasRejected = [...resourcesOf(stream.snapshot, typeUrl).values()].some(
      (resource) => resource.version === BAD,
    );
    return (stream.types.has(typeUrl) && hasRejected) || isUsedByRejected(stream, user);
  });
}

for (const variant of ["sotw", "delta"] as const) {
  describe(`random exchanges over a ${variant} stream`, () => {
    test("end with the newest snapshot at every client, and have one response of a type in flight at a time", () => {
      fc.assert(
        fc.property(fc.array(action, { maxLength: 60 }), (actions) => checkConverged(variant, run(variant, actions))),
        { numRuns: 3000 },
      );
    });
  });
}
