import type { Kind } from "../model/document.ts";
import type { DocumentChange, Mesh, MeshEdit } from "../model/mesh.ts";
import type { Watchable } from "../process/watchable.ts";

/** The mesh as of one revision. */
export interface MeshState {
  /** Counts accepted writes from 1; 0 is the empty mesh before the first. */
  readonly revision: number;
  readonly mesh: Mesh;
}

/** One accepted write. */
export interface Revision {
  readonly revision: number;
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** Who wrote: "admin", "files", a token's name. */
  readonly author: string;
  /** One line that says why; empty when nobody said. */
  readonly message: string;
  readonly changes: readonly DocumentChange[];
}

export interface CommitOptions {
  readonly author: string;
  readonly message?: string;
  /**
   * Refuse unless the store is at this revision: what the writer checked is then what is committed.
   */
  readonly expectedRevision: number;
}

/** What every store is opened with. */
export interface StoreOptions {
  /** Milliseconds since the epoch, whole. */
  readonly now: () => number;
  /** How many revisions can be read and restored; older ones are forgotten. At least 1. */
  readonly keepRevisions: number;
  /**
   * Called with what a watcher throws. The revision is kept by then, so the commit does not fail. Absent: the error becomes an
   * uncaught exception.
   */
  readonly watcherFailed?: (error: unknown) => void;
}

/**
 * Keeps the mesh, possibly in another process that other servers share. Readers see whole revisions only. Methods that may
 * have to ask that process return promises; `get`, `watch` and `revisionOf` read the copy in this process.
 */
export interface Store extends Watchable<MeshState> {
  /**
   * Makes one revision of an edit, all of it or nothing. Once the promise is fulfilled the revision is durable, `get` has it,
   * and its watchers ran. An edit that changes nothing makes no revision: undefined. Rejects with a RevisionConflict when the
   * store is no longer at `expectedRevision`; `get` has what came in between by then.
   */
  commit(edit: MeshEdit, options: CommitOptions): Promise<Revision | undefined>;
  /** The revision at which a document last changed (its ETag), or undefined when it does not exist. */
  revisionOf(kind: Kind, name: string): number | undefined;
  /** Newest first, those before `before` (all when absent), at most `limit`. */
  revisions(options: { readonly limit: number; readonly before?: number }): Promise<readonly Revision[]>;
  revision(revision: number): Promise<Revision | undefined>;
  /** The whole mesh as it was at a revision, or undefined when there is no such revision (or it was compacted away). */
  meshAt(revision: number): Promise<Mesh | undefined>;
  /** A small durable value that is not part of the mesh, such as the digest of the configuration files last applied. */
  note(key: string): Promise<string | undefined>;
  setNote(key: string, value: string): Promise<void>;
  /** Resolves when the commits under way have ended. Later calls reject with a StoreClosed. */
  close(): Promise<void>;
}

/** Thrown by commit when the store is no longer at `expectedRevision`. The writer reads again and decides. */
export class RevisionConflict extends Error {
  readonly expected: number;
  readonly actual: number;

  constructor(expected: number, actual: number) {
    super(`Cannot commit on revision ${expected}: the store is at revision ${actual}`);
    this.name = "RevisionConflict";
    this.expected = expected;
    this.actual = actual;
  }
}

/** What a store rejects with once it is closed. */
export class StoreClosed extends Error {
  constructor() {
    super("Cannot ask the store: it is closed");
    this.name = "StoreClosed";
  }
}
