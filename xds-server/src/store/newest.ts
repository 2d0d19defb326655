import type { DocumentChange, MeshEdit } from "../model/mesh.ts";
import { Value, type Watchable } from "../process/watchable.ts";
import { type MeshState, RevisionConflict, type StoreOptions } from "./store.ts";

/** The newest revision that a store knows in this process. */
export class Newest implements Watchable<MeshState> {
  readonly #value: Value<MeshState>;
  readonly #watcherFailed: (error: unknown) => void;

  constructor(state: MeshState, { watcherFailed = thrownLater }: Pick<StoreOptions, "watcherFailed">) {
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

  /** What an edit changes, by kind and name. Throws unless it was made on the newest revision, and that is the one expected. */
  changesOf({ before, changes }: MeshEdit, expectedRevision: number): readonly DocumentChange[] {
    const { revision, mesh } = this.get();
    if (expectedRevision !== revision) throw new RevisionConflict(expectedRevision, revision);
    if (before !== mesh) throw new Error(`Cannot commit on revision ${revision}: the edit was made on another mesh`);
    return changes.toSorted(byKey);
  }
}

/** Makes sure that nobody changes what others share. */
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

/** As Node does with what an event listener throws. */
function thrownLater(error: unknown): void {
  process.nextTick(() => {
    throw error;
  });
}
