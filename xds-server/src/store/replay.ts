import type { DatabaseSync } from "node:sqlite";
import {
  type ChainHead,
  chained,
  digestOf,
  emptyState,
  noteDigest,
  type RevisionHeader,
  toggled,
  type Version,
} from "./revision-chain.ts";
import { damage } from "./sqlite-file.ts";

/** The version of a document in the mesh, with its JSON. */
interface LiveVersion extends Version {
  readonly json: string;
}

export interface Replayed {
  /** The oldest revision whose mesh can be rebuilt. */
  readonly anchor: number;
  readonly head: ChainHead;
  /** By `keyOf`. */
  readonly live: ReadonlyMap<string, LiveVersion>;
}

export type Replay =
  | ({ readonly ok: true } & Replayed)
  /** `good` is the last intact revision. Undefined when none is known to be intact. */
  | { readonly ok: false; readonly fault: string; readonly good: number | undefined };

/** Reads the whole kept history and checks each revision. Returns the newest revision and its documents, or the first fault. */
export function replay(database: DatabaseSync): Replay {
  let good: number | undefined;
  const faulty = (fault: string): Replay => ({ ok: false, fault, good });
  try {
    const events = new Events(database);
    let anchor: number | undefined;
    let head: ChainHead | undefined;
    for (const row of database.prepare("SELECT * FROM revisions ORDER BY revision").iterate()) {
      const stored = row as unknown as RevisionHeader & ChainHead;
      const { revision } = stored;
      if (head !== undefined && revision !== head.revision + 1)
        return faulty(`revision ${head.revision + 1} is missing`);
      const fault = events.playTo(revision);
      if (fault !== undefined) return faulty(fault);
      const expected = head === undefined ? stored.chain : chained(head.chain, stored, stored.state).chain;
      if (events.state !== stored.state || expected !== stored.chain)
        return faulty(`revision ${revision} does not match its checksum`);
      head = stored;
      anchor ??= revision;
      good = revision;
    }
    if (head === undefined || anchor === undefined) return faulty("it has no revision");
    const state = events.playTo(Number.POSITIVE_INFINITY) ?? events.state;
    if (state !== head.state)
      return faulty(`it has documents of a revision after ${head.revision}, and that revision is missing`);
    for (const row of database.prepare("SELECT * FROM notes").iterate()) {
      const note = row as { key: string; value: string; digest: string };
      if (noteDigest(note) !== note.digest) return faulty(`the note "${note.key}" is damaged`);
    }
    const { integrity_check: structure } = database.prepare("PRAGMA integrity_check(1)").get() ?? {};
    return structure === "ok" ? { ok: true, anchor, head, live: events.live } : faulty(String(structure));
  } catch (error) {
    const fault = damage(error);
    if (fault === undefined) throw error;
    return faulty(fault);
  }
}

export function keyOf({ kind, name }: { readonly kind: string; readonly name: string }): string {
  return `${kind}/${name}`;
}

/** The beginning and the end of each version, in the order of the revisions. */
class Events {
  state = emptyState;
  readonly live = new Map<string, LiveVersion>();
  readonly #rows: Iterator<unknown>;
  readonly #json: (digest: string) => string | undefined;
  #next: IteratorResult<unknown>;

  constructor(database: DatabaseSync) {
    // A replaced version leaves (enters = 0) before its successor enters.
    this.#rows = database
      .prepare(
        `SELECT since AS at, 1 AS enters, kind, name, since, digest FROM versions
         UNION ALL SELECT until, 0, kind, name, since, digest FROM versions WHERE until IS NOT NULL
         ORDER BY at, enters`,
      )
      .iterate();
    const content = database.prepare("SELECT json FROM contents WHERE digest = ?");
    this.#json = (digest) => (content.get(digest) as { json: string } | undefined)?.json;
    this.#next = this.#rows.next();
  }

  /** Applies all events up to a revision. Returns the first fault, or undefined. */
  playTo(revision: number): string | undefined {
    while (!this.#next.done) {
      const event = this.#next.value as Version & { readonly at: number; readonly enters: 0 | 1 };
      if (event.at > revision) return;
      const fault = event.enters === 1 ? this.#enter(event) : this.#leave(event);
      if (fault !== undefined) return fault;
      this.#next = this.#rows.next();
    }
    return;
  }

  #enter({ kind, name, since, digest }: Version): string | undefined {
    const json = this.#json(digest);
    if (json === undefined || digestOf(json) !== digest)
      return `the content of ${kind} "${name}" of revision ${since} is ${json === undefined ? "missing" : "damaged"}`;
    if (this.live.has(keyOf({ kind, name }))) return `${kind} "${name}" exists twice from revision ${since} on`;
    const version = { kind, name, since, digest, json };
    this.live.set(keyOf(version), version);
    this.state = toggled(this.state, [version]);
    return;
  }

  #leave(version: Version): string | undefined {
    const key = keyOf(version);
    if (this.live.get(key)?.since !== version.since)
      return `${version.kind} "${version.name}" of revision ${version.since} ends before it begins`;
    this.live.delete(key);
    this.state = toggled(this.state, [version]);
    return;
  }
}
