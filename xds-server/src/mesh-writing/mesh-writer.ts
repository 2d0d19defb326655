import type { Compile, Compiled, CompiledInputs } from "../compile/compile.ts";
import type { Catalog } from "../filter-registry/catalog.ts";
import type { Change, MeshEdit } from "../model/mesh.ts";
import type { Problem } from "../model/problem.ts";
import type { Turns } from "../process/turns.ts";
import { Value, type Watchable } from "../process/watchable.ts";
import { type MeshState, RevisionConflict, type Store, StoreClosed } from "../store/store.ts";
import { FilterCheck } from "./filter-check.ts";

/**
 * The only way to change the mesh. A write compiles the whole new mesh and runs its new filter configurations. It is rejected
 * with every problem found. The writer's value is the newest mesh, with the result of compiling it.
 */
export interface MeshWriter extends Watchable<WrittenMesh> {
  /** Resolves to the result that `write` would have, and changes nothing. */
  check(changeOf: ChangeOf): Promise<WriteResult>;
  /** Resolves after the watchers have run. Rejects with a RevisionConflict when other servers commit first at every attempt. */
  write(changeOf: ChangeOf, options: WriteOptions): Promise<WriteResult>;
  /** Resolves when the write under way has ended. The writes that wait behind it reject with a StoreClosed and change nothing. */
  close(): Promise<void>;
}

/**
 * Makes the change for the newest mesh. Called twice for each attempt: before the filters run, and right before the commit.
 * An error that it throws ends the write.
 */
export type ChangeOf = (state: MeshState) => Change | Promise<Change>;

export interface WriteOptions {
  /** Who writes: "admin", "files". */
  readonly author: string;
  /** One line with the reason. Absent: empty. */
  readonly message?: string;
}

export type WriteResult =
  | {
      readonly ok: true;
      readonly change: Change;
      readonly edit: MeshEdit;
      readonly compiled: Compiled;
      /** The newest revision. It has the change, unless this was a check. */
      readonly revision: number;
    }
  | { readonly ok: false; readonly problems: readonly Problem[] };

export interface WrittenMesh extends MeshState {
  /** Absent when this writer did not write the revision: it is older than the writer, or another server wrote it. */
  readonly compiled?: CompiledInputs;
}

export interface MeshWriterOptions {
  readonly store: Store;
  readonly catalog: Pick<Catalog, "get" | "checkConfiguration">;
  readonly compile: Compile;
  /** Each write takes one turn of the event loop. */
  readonly turns: Turns;
}

export function meshWriter(options: MeshWriterOptions): MeshWriter {
  return new Writer(options);
}

/** The maximum number of attempts at a write. An attempt is repeated when another write commits first and changes its result. */
const maxAttempts = 5;

class Writer implements MeshWriter {
  readonly #options: MeshWriterOptions;
  readonly #value: Value<WrittenMesh>;
  readonly #unwatch: () => void;
  #last: Promise<unknown> = Promise.resolve();
  #isClosing = false;
  /** The mesh of the commit under way, with its compiled result. */
  #committing: CompiledInputs | undefined;

  constructor(options: MeshWriterOptions) {
    const { store } = options;
    this.#options = options;
    this.#value = new Value<WrittenMesh>(store.get());
    this.#unwatch = store.watch((state) => {
      const compiled = this.#committing;
      this.#value.set(compiled?.inputs.mesh === state.mesh ? { ...state, compiled } : state);
    });
  }

  get(): WrittenMesh {
    return this.#value.get();
  }

  watch(watcher: (mesh: WrittenMesh) => void): () => void {
    return this.#value.watch(watcher);
  }

  check(changeOf: ChangeOf): Promise<WriteResult> {
    return this.#attempts(changeOf, async ({ revision }) => revision);
  }

  write(changeOf: ChangeOf, options: WriteOptions): Promise<WriteResult> {
    return this.#attempts(changeOf, async ({ revision: expectedRevision }, edit) => {
      const committed = await this.#options.store.commit(edit, { ...options, expectedRevision });
      return committed?.revision ?? expectedRevision;
    });
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    await this.#last;
    this.#unwatch();
  }

  /**
   * Runs the filters before the write's turn, because other writes would wait for them otherwise. When other writes change
   * what must be run again and again, the last attempt runs the filters within its turn.
   */
  async #attempts(changeOf: ChangeOf, keep: Keep): Promise<WriteResult> {
    const { store, catalog, turns } = this.#options;
    const filters = new FilterCheck(catalog);
    for (let attempt = 1; ; attempt++) {
      const state = store.get();
      const isLast = attempt === maxAttempts;
      await filters.run(await changeOf(state), state.mesh);
      try {
        const result = await this.#alone(() => turns.run(() => this.#attempt({ changeOf, filters, isLast }, keep)));
        if (result !== undefined) return result;
      } catch (error) {
        if (!(error instanceof RevisionConflict) || isLast) throw error;
      }
    }
  }

  /**
   * No other write of this process runs at the same time. The store rejects the commit when another server has written.
   * Resolves to undefined when there are filters to run first.
   */
  async #attempt({ changeOf, filters, isLast }: Attempt, keep: Keep): Promise<WriteResult | undefined> {
    const { store, catalog, compile } = this.#options;
    const state = store.get();
    const change = await changeOf(state);
    if (!filters.covers(change, state.mesh)) {
      if (!isLast) return undefined;
      await filters.run(change, state.mesh);
    }
    const edit = state.mesh.edited(change);
    const inputs = { mesh: edit.after, artifacts: catalog.get() };
    const compiled = compile(inputs);
    const problems = [...compiled.problems, ...filters.problems(change, state.mesh)];
    if (problems.length > 0) return { ok: false, problems };
    this.#committing = { inputs, compiled };
    try {
      return { ok: true, change, edit, compiled, revision: await keep(state, edit) };
    } finally {
      this.#committing = undefined;
    }
  }

  /** Runs one write after another. */
  #alone<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(() => {
      if (this.#isClosing) throw new StoreClosed();
      return work();
    });
    this.#last = done.catch(() => undefined);
    return done;
  }
}

interface Attempt {
  readonly changeOf: ChangeOf;
  readonly filters: FilterCheck;
  /** Whether there is no further attempt after this one. */
  readonly isLast: boolean;
}

/** Commits an edit, or only checks it. Resolves to the newest revision afterwards. */
type Keep = (state: MeshState, edit: MeshEdit) => Promise<number>;
