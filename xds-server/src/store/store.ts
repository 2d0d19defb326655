import type { Kind } from "../model/document.ts";
import type { Change, DocumentChange, Mesh } from "../model/mesh.ts";
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
   * Reject unless the store is at this revision: what the writer checked is then what is committed.
   */
  readonly expectedRevision: number;
}

/**
 * Where the mesh is kept. One writer at a time; readers see whole revisions only. A commit that returned is on disk.
 * A change that changes nothing makes no revision: commit returns undefined.
 */
export interface Store extends Watchable<MeshState> {
  commit(change: Change, options: CommitOptions): Revision | undefined;
  /** The revision at which a document last changed (its ETag), or undefined when it does not exist. */
  revisionOf(kind: Kind, name: string): number | undefined;
  /** Newest first, those before `before` (all when absent), at most `limit`. */
  revisions(options: { readonly limit: number; readonly before?: number }): readonly Revision[];
  revision(revision: number): Revision | undefined;
  /** The whole mesh as it was at a revision, or undefined when there is no such revision (or it was compacted away). */
  meshAt(revision: number): Mesh | undefined;
  /** A small durable value that is not part of the mesh, such as the digest of the configuration files last applied. */
  note(key: string): string | undefined;
  setNote(key: string, value: string): void;
  close(): void;
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
