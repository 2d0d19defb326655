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
  /** One line with the reason. Empty when none was given. */
  readonly message: string;
  readonly changes: readonly DocumentChange[];
}

export interface CommitOptions {
  readonly author: string;
  readonly message?: string;
  /** The commit is rejected when the store is at another revision. So the writer commits the mesh that it checked. */
  readonly expectedRevision: number;
}

/** The options of every store. */
export interface StoreOptions {
  /** Milliseconds since the epoch, whole. */
  readonly now: () => number;
  /** The number of revisions that can be read and restored. Older ones are deleted. At least 1. */
  readonly keepRevisions: number;
  /**
   * Called with the error of a watcher that throws. The revision is already stored, so the commit does not fail. Absent: the
   * error becomes an uncaught exception.
   */
  readonly watcherFailed?: (error: unknown) => void;
}

/**
 * Keeps the mesh, possibly in another process that several servers share. Readers see whole revisions only. Methods that may
 * need that process return promises. `get`, `watch` and `revisionOf` read the copy in this process.
 */
export interface Store extends Watchable<MeshState> {
  /**
   * Makes one revision of the whole edit. When the promise resolves, the revision is durable, `get` returns it, and the watchers
   * have run. Resolves to undefined, without a revision, when the edit changes nothing. Rejects with a RevisionConflict when the
   * store is no longer at `expectedRevision`. `get` then returns the newer revision.
   */
  commit(edit: MeshEdit, options: CommitOptions): Promise<Revision | undefined>;
  /** The revision at which a document last changed (its ETag), or undefined when it does not exist. */
  revisionOf(kind: Kind, name: string): number | undefined;
  /** Up to `limit` revisions older than `before`, newest first. Without `before`, it begins with the newest revision. */
  revisions(options: { readonly limit: number; readonly before?: number }): Promise<readonly Revision[]>;
  revision(revision: number): Promise<Revision | undefined>;
  /** The whole mesh at a revision. Undefined when there is no such revision, or it is too old. */
  meshAt(revision: number): Promise<Mesh | undefined>;
  /** A small durable value that is not part of the mesh, such as the digest of the configuration files last applied. */
  note(key: string): Promise<string | undefined>;
  setNote(key: string, value: string): Promise<void>;
  /** Resolves when the commits under way have ended. Later calls reject with a StoreClosed. */
  close(): Promise<void>;
}

/** Thrown by `commit` when the store is no longer at `expectedRevision`. The writer can try again with the newest mesh. */
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

/** The error of every request to a closed store. */
export class StoreClosed extends Error {
  constructor() {
    super("Cannot use the store: it is closed");
    this.name = "StoreClosed";
  }
}
