import type { Document, DocumentKey, Kind } from "../model/document.ts";
import { type Change, Mesh, type MeshEdit } from "../model/mesh.ts";
import { Value } from "../process/watchable.ts";
import { frozen, Newest } from "./newest.ts";
import {
  type CommitOptions,
  type MeshState,
  type Revision,
  RevisionConflict,
  type Store,
  StoreClosed,
  type StoreOptions,
} from "./store.ts";

export interface MemoryStoreOptions extends StoreOptions {
  /** Has the revisions and notes. Several stores may share one, as several servers do. Absent: the store has its own. */
  readonly database?: MemoryDatabase;
  /**
   * Delays the store, so that a test decides the order of events. Awaited before the database gets a request, and again
   * before the store gets the answer or a new revision. Absent: no delay.
   */
  readonly latency?: () => Promise<unknown>;
}

/**
 * Opens a store that keeps everything in memory. With `latency`, it answers as late as a store in another process. For tests,
 * and for programs that embed the server and write the whole mesh at each start.
 */
export function openMemoryStore(options: MemoryStoreOptions): Store {
  return new MemoryStore(options);
}

/** The content of memory stores. Closing a store does not clear it. */
export class MemoryDatabase {
  readonly notes = new Map<string, string>();
  /** The newest revision; undefined before the first. */
  readonly newest = new Value<Revision | undefined>(undefined);
  /** The mesh before the oldest kept revision. */
  readonly #base = { revision: 0, mesh: Mesh.empty, since: new Map<string, number>() };
  /** Oldest first. */
  readonly #revisions: Revision[] = [];

  get head(): number {
    return this.newest.get()?.revision ?? 0;
  }

  append(revision: Revision, keepRevisions: number): void {
    this.#revisions.push(revision);
    while (this.#revisions.length > keepRevisions) this.#deleteOldest();
    this.newest.set(revision);
  }

  /** Newest first. */
  revisions({ limit, before }: { readonly limit: number; readonly before: number }): readonly Revision[] {
    const found = this.#revisions.filter(({ revision }) => revision < before);
    return found.toReversed().slice(0, Math.max(0, limit));
  }

  meshAt(revision: number): Mesh | undefined {
    if (!Number.isInteger(revision) || revision < this.#base.revision || revision > this.head) return undefined;
    const later = this.#revisions.filter((each) => each.revision <= revision);
    return later.reduce((mesh, each) => mesh.changed(changeOf(each)), this.#base.mesh);
  }

  /** The revision at which each document last changed, by `keyOf`. */
  since(): Map<string, number> {
    const since = new Map(this.#base.since);
    for (const revision of this.#revisions) noteIn(since, revision);
    return since;
  }

  #deleteOldest(): void {
    const oldest = this.#revisions.shift();
    if (oldest === undefined) return;
    noteIn(this.#base.since, oldest);
    this.#base.mesh = this.#base.mesh.changed(changeOf(oldest));
    this.#base.revision = oldest.revision;
  }
}

class MemoryStore implements Store {
  readonly #options: MemoryStoreOptions;
  readonly #database: MemoryDatabase;
  readonly #newest: Newest;
  readonly #since: Map<string, number>;
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #unwatch: () => void;
  /** Resolves when this store has received every revision that the database has so far. */
  #arrived: Promise<void> = Promise.resolve();
  /** The state that this store's last commit made, until the store receives its revision. */
  #committed: MeshState | undefined;
  #isOpen = true;

  constructor(options: MemoryStoreOptions) {
    if (!(options.keepRevisions >= 1))
      throw new RangeError(`keepRevisions is ${options.keepRevisions}, and must be at least 1`);
    const { database = new MemoryDatabase() } = options;
    this.#options = options;
    this.#database = database;
    this.#newest = new Newest({ revision: database.head, mesh: database.meshAt(database.head) ?? Mesh.empty }, options);
    this.#since = database.since();
    this.#unwatch = database.newest.watch((revision) => {
      if (revision !== undefined) this.#arrived = this.#arrived.then(() => this.#receive(revision));
    });
  }

  get(): MeshState {
    return this.#newest.get();
  }

  watch(watcher: (state: MeshState) => void): () => void {
    return this.#newest.watch(watcher);
  }

  async commit(edit: MeshEdit, options: CommitOptions): Promise<Revision | undefined> {
    return this.#request(async () => {
      const { author, message = "", expectedRevision } = options;
      const changes = this.#newest.changesOf(edit, expectedRevision);
      if (changes.length === 0) return undefined;
      await this.#options.latency?.();
      if (this.#database.head !== expectedRevision) {
        const { head } = this.#database;
        await this.#arrived;
        throw new RevisionConflict(expectedRevision, head);
      }
      for (const { after } of changes) frozen(after);
      const revision = { revision: expectedRevision + 1, time: this.#options.now(), author, message, changes };
      this.#committed = { revision: revision.revision, mesh: edit.after };
      this.#database.append(revision, this.#options.keepRevisions);
      await this.#arrived;
      return revision;
    });
  }

  revisionOf(kind: Kind, name: string): number | undefined {
    return this.#since.get(keyOf({ kind, name }));
  }

  revisions({ limit, before }: { readonly limit: number; readonly before?: number }): Promise<readonly Revision[]> {
    return this.#delayed(() => this.#database.revisions({ limit, before: before ?? Number.POSITIVE_INFINITY }));
  }

  revision(revision: number): Promise<Revision | undefined> {
    return this.#delayed(() =>
      this.#database.revisions({ limit: 1, before: revision + 1 }).find((found) => found.revision === revision),
    );
  }

  meshAt(revision: number): Promise<Mesh | undefined> {
    return this.#delayed(() => this.#database.meshAt(revision));
  }

  note(key: string): Promise<string | undefined> {
    return this.#delayed(() => this.#database.notes.get(key));
  }

  setNote(key: string, value: string): Promise<void> {
    return this.#delayed(() => void this.#database.notes.set(key, value));
  }

  async close(): Promise<void> {
    this.#isOpen = false;
    await Promise.allSettled(this.#underWay);
    this.#unwatch();
    await this.#arrived;
  }

  /** Receives a revision that this store or another one committed. */
  async #receive(revision: Revision): Promise<void> {
    await this.#options.latency?.();
    const own = this.#committed?.revision === revision.revision ? this.#committed : undefined;
    this.#committed = undefined;
    noteIn(this.#since, revision);
    this.#newest.set(own ?? { revision: revision.revision, mesh: this.get().mesh.changed(changeOf(revision)) });
  }

  /** Answers a request, with the latency before and after. */
  #delayed<T>(answer: () => T): Promise<T> {
    return this.#request(async () => {
      await this.#options.latency?.();
      const answered = answer();
      await this.#options.latency?.();
      return answered;
    });
  }

  /** Sends a request. `close` waits for its end. */
  async #request<T>(send: () => Promise<T>): Promise<T> {
    if (!this.#isOpen) throw new StoreClosed();
    const request = send();
    this.#underWay.add(request);
    try {
      return await request;
    } finally {
      this.#underWay.delete(request);
    }
  }
}

function changeOf({ changes }: Revision): Change {
  return {
    set: changes.flatMap(({ after }): readonly Document[] => (after === undefined ? [] : [after])),
    delete: changes.filter(({ after }) => after === undefined),
  };
}

function noteIn(since: Map<string, number>, { revision, changes }: Revision): void {
  for (const { after, ...key } of changes) {
    if (after === undefined) since.delete(keyOf(key));
    else since.set(keyOf(key), revision);
  }
}

function keyOf({ kind, name }: DocumentKey): string {
  return `${kind} ${name}`;
}
