import type { Document, Kind } from "../model/document.ts";
import { type DocumentChange, Mesh, type MeshEdit } from "../model/mesh.ts";
import { type Edit, History, type StoredVersion } from "./history.ts";
import { byKey, frozen, Newest } from "./newest.ts";
import { keyOf } from "./replay.ts";
import type { RevisionHeader } from "./revision-chain.ts";
import {
  type CommitOptions,
  type MeshState,
  type Revision,
  type Store,
  StoreClosed,
  type StoreOptions,
} from "./store.ts";

export interface SqliteStoreOptions extends StoreOptions {
  /** The folder of the database `chancery.db` and its other files. Created when it does not exist, readable by its owner only. */
  readonly directory: string;
}

/** Enough for months of edits by people, in some tens of megabytes. */
export const defaultKeepRevisions = 10_000;

/**
 * Opens the embedded store and checks its whole content. No other process can open it until `close`.
 * Throws a StoreUnusable when it is locked, damaged, too new or not accessible.
 */
export function openSqliteStore(options: SqliteStoreOptions): Store {
  return new SqliteStore(options);
}

/**
 * Reads and writes documents as rows of `History`. A document that did not change stays the same object. SQLite answers
 * synchronously. The methods return promises because other stores have to wait.
 */
class SqliteStore implements Store {
  readonly #history: History;
  readonly #now: () => number;
  readonly #newest: Newest;
  #isOpen = true;

  constructor({ directory, now, keepRevisions, ...watching }: SqliteStoreOptions) {
    if (!(keepRevisions >= 1)) throw new RangeError(`keepRevisions is ${keepRevisions}, and must be at least 1`);
    const documents: Document[] = [];
    this.#history = new History(directory, keepRevisions, (json) => documents.push(parsed(json)));
    this.#now = now;
    this.#newest = new Newest({ revision: this.#history.head, mesh: Mesh.of(documents) }, watching);
  }

  get(): MeshState {
    return this.#newest.get();
  }

  watch(watcher: (state: MeshState) => void): () => void {
    return this.#newest.watch(watcher);
  }

  async commit(
    edit: MeshEdit,
    { author, message = "", expectedRevision }: CommitOptions,
  ): Promise<Revision | undefined> {
    const history = this.#open();
    const changes = this.#newest.changesOf(edit, expectedRevision);
    if (changes.length === 0) return undefined;
    const header = { revision: expectedRevision + 1, time: this.#now(), author, message };
    history.append(header, changes.map(editOf));
    for (const { after } of changes) frozen(after);
    this.#newest.set({ revision: header.revision, mesh: edit.after });
    history.acknowledge();
    return { ...header, changes };
  }

  revisionOf(kind: Kind, name: string): number | undefined {
    return this.#history.live(kind, name)?.since;
  }

  async revisions({
    limit,
    before,
  }: {
    readonly limit: number;
    readonly before?: number;
  }): Promise<readonly Revision[]> {
    const history = this.#open();
    return history.headers({ limit, before: before ?? history.head + 1 }).map((header) => this.#withChanges(header));
  }

  async revision(revision: number): Promise<Revision | undefined> {
    const [found] = await this.revisions({ limit: 1, before: revision + 1 });
    return found?.revision === revision ? found : undefined;
  }

  async meshAt(revision: number): Promise<Mesh | undefined> {
    const history = this.#open();
    const { revision: newest, mesh } = this.get();
    if (!Number.isInteger(revision) || revision < history.anchor || revision > newest) return undefined;
    return mesh.changed({
      set: history.endedSince(revision).map((version) => this.#document(version)),
      delete: [...history.begunSince(revision)].map(({ kind, name }) => ({ kind: kind as Kind, name })),
    });
  }

  async note(key: string): Promise<string | undefined> {
    return this.#open().note(key);
  }

  async setNote(key: string, value: string): Promise<void> {
    this.#open().setNote(key, value);
  }

  async close(): Promise<void> {
    this.#isOpen = false;
    this.#history.close();
  }

  #open(): History {
    if (!this.#isOpen) throw new StoreClosed();
    return this.#history;
  }

  #withChanges(header: RevisionHeader): Revision {
    const changes = new Map<string, DocumentChange>();
    for (const version of this.#history.changedAt(header.revision)) {
      const kind = version.kind as Kind;
      const side = version.since === header.revision ? "after" : "before";
      changes.set(keyOf(version), {
        ...(changes.get(keyOf(version)) ?? { kind, name: version.name }),
        [side]: this.#document(version),
      });
    }
    return { ...header, changes: [...changes.values()].sort(byKey) };
  }

  /** The document of a version. It is the mesh's own object when the content is the same. */
  #document({ kind, name, digest, json }: StoredVersion): Document {
    const isLive = this.#history.live(kind, name)?.digest === digest;
    return (isLive ? this.get().mesh.get(kind as Kind, name) : undefined) ?? parsed(json);
  }
}

/** Keeps the keys in the author's order, because a filter receives its configuration in that order. */
function editOf({ kind, name, after }: DocumentChange): Edit {
  return after === undefined ? { kind, name } : { kind, name, json: JSON.stringify({ kind, name, spec: after.spec }) };
}

function parsed(json: string): Document {
  return frozen(JSON.parse(json) as Document);
}
