import type { DocumentChange, MeshEdit } from "../model/mesh.ts";
import { Value, type Watchable } from "../process/watchable.ts";
import { type MeshState, RevisionConflict, type StoreOptions } from "./store.ts";

/** A store's copy of the newest revision in this process. */
export class Newest implements Watchable<MeshState> {
  readonly #value: Value<MeshState>;
  readonly #watcherFailed: (error: unknown) => void;

  constructor(state: MeshState, { watcherFailed = throwUncaught }: Pick<StoreOptions, "watcherFailed">) {
    this.#value = new Value(state);
    this.#watcherFailed = watcherFailed;
  }

  get(): MeshState {
    return this.#value.get();
  }

  watch(watcher: (state: MeshState) => void): () => void {
    return this.#value.watch(watcher);
  }

  set(state: MeshState): void {
    try {
      this.#value.set(state);
    } catch (error) {
      this.#watcherFailed(error);
    }
  }

  /**
   * The changes of an edit, sorted by kind and name. Throws when the newest revision is not the expected one, or when the edit
   * was made on another mesh.
   */
  changesOf({ before, changes }: MeshEdit, expectedRevision: number): readonly DocumentChange[] {
    const { revision, mesh } = this.get();
    if (expectedRevision !== revision) throw new RevisionConflict(expectedRevision, revision);
    if (before !== mesh) throw new Error(`Cannot commit on revision ${revision}: the edit was made on another mesh`);
    return changes.toSorted(byKey);
  }
}

/** Freezes a value and everything in it, because meshes share their documents. */
export function frozen<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const member of Object.values(value)) frozen(member);
  }
  return value;
}

export function byKey(a: DocumentChange, b: DocumentChange): number {
  return compare(a.kind, b.kind) || compare(a.name, b.name);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Makes the error an uncaught exception, and returns before that. */
function throwUncaught(error: unknown): void {
  process.nextTick(() => {
    throw error;
  });
}
