import type { Document, Kind } from "../model/document.ts";
import { type Change, type DocumentChange, Mesh } from "../model/mesh.ts";
import { Value } from "../process/watchable.ts";
import { type Edit, History, type StoredVersion } from "./history.ts";
import { keyOf } from "./replay.ts";
import type { RevisionHeader } from "./revision-chain.ts";
import { type CommitOptions, type MeshState, type Revision, RevisionConflict, type Store } from "./store.ts";

export interface SqliteStoreOptions {
  /** Made when absent, for its owner alone. The store is `chancery.db` in it, with the files beside that. */
  readonly directory: string;
  /** Milliseconds since the epoch, whole. */
  readonly now: () => number;
  /** How many revisions can be read and restored; older ones are forgotten. At least 1. */
  readonly keepRevisions: number;
}

/** What suits most: months of edits by people, in some tens of megabytes. */
export const defaultKeepRevisions = 10_000;

/**
 * Opens the embedded store, checks all that it holds, and keeps it for this process alone until `close`.
 * Throws a StoreUnusable when it is locked, damaged, too new or not accessible.
 */
export function openSqliteStore(options: SqliteStoreOptions): Store {
  return new SqliteStore(options);
}

/** Documents, on top of the rows of `History`. A document that did not change stays the same object. */
class SqliteStore implements Store {
  readonly #history: History;
  readonly #now: () => number;
  readonly #value: Value<MeshState>;

  constructor({ directory, now, keepRevisions }: SqliteStoreOptions) {
    if (!(keepRevisions >= 1)) throw new RangeError(`keepRevisions is ${keepRevisions}, and must be at least 1`);
    const documents: Document[] = [];
    this.#history = new History(directory, keepRevisions, (json) => documents.push(parsed(json)));
    this.#now = now;
    this.#value = new Value({ revision: this.#history.head, mesh: Mesh.of(documents) });
  }

  get(): MeshState {
    return this.#value.get();
  }

  watch(watcher: (state: MeshState) => void): () => void {
    return this.#value.watch(watcher);
  }

  commit(change: Change, { author, message = "", expectedRevision }: CommitOptions): Revision | undefined {
    const { revision: actual, mesh } = this.get();
    if (expectedRevision !== actual) throw new RevisionConflict(expectedRevision, actual);
    const changes = mesh.effectOf(change).toSorted(byKey);
    if (changes.length === 0) return undefined;
    const header = { revision: actual + 1, time: this.#now(), author, message };
    this.#history.append(header, changes.map(editOf));
    for (const { after } of changes) frozen(after);
    this.#value.set({ revision: header.revision, mesh: mesh.changed(change) });
    this.#history.acknowledge();
    return { ...header, changes };
  }

  revisionOf(kind: Kind, name: string): number | undefined {
    return this.#history.live(kind, name)?.since;
  }

  revisions({ limit, before }: { readonly limit: number; readonly before?: number }): readonly Revision[] {
    return this.#history
      .headers({ limit, before: before ?? this.#history.head + 1 })
      .map((header) => this.#withChanges(header));
  }

  revision(revision: number): Revision | undefined {
    return this.revisions({ limit: 1, before: revision + 1 }).find((found) => found.revision === revision);
  }

  meshAt(revision: number): Mesh | undefined {
    const { revision: newest, mesh } = this.get();
    if (!Number.isInteger(revision) || revision < this.#history.anchor || revision > newest) return undefined;
    return mesh.changed({
      set: this.#history.gone(revision).map((version) => this.#document(version)),
      delete: [...this.#history.newer(revision)].map(({ kind, name }) => ({ kind: kind as Kind, name })),
    });
  }

  note(key: string): string | undefined {
    return this.#history.note(key);
  }

  setNote(key: string, value: string): void {
    this.#history.setNote(key, value);
  }

  close(): void {
    this.#history.close();
  }

  #withChanges(header: RevisionHeader): Revision {
    const changes = new Map<string, DocumentChange>();
    for (const version of this.#history.turnedAt(header.revision)) {
      const kind = version.kind as Kind;
      const side = version.since === header.revision ? "after" : "before";
      changes.set(keyOf(version), {
        ...(changes.get(keyOf(version)) ?? { kind, name: version.name }),
        [side]: this.#document(version),
      });
    }
    return { ...header, changes: [...changes.values()].sort(byKey) };
  }

  /** The document of a version: the mesh's own object where its content is the same. */
  #document({ kind, name, digest, json }: StoredVersion): Document {
    const isLive = this.#history.live(kind, name)?.digest === digest;
    return (isLive ? this.get().mesh.get(kind as Kind, name) : undefined) ?? parsed(json);
  }
}

/** Keys are written in the order in which the author wrote them: the configuration of a filter reaches it that way. */
function editOf({ kind, name, after }: DocumentChange): Edit {
  return after === undefined ? { kind, name } : { kind, name, json: JSON.stringify({ kind, name, spec: after.spec }) };
}

function parsed(json: string): Document {
  return frozen(JSON.parse(json) as Document);
}

/** Makes sure that nobody changes what others share. */
function frozen<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const member of Object.values(value)) frozen(member);
  }
  return value;
}

function byKey(a: DocumentChange, b: DocumentChange): number {
  return compare(a.kind, b.kind) || compare(a.name, b.name);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
