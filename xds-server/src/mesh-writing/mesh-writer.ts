import type { Compiled } from "../compile/compile.ts";
import type { Change, Mesh } from "../model/mesh.ts";
import type { Problem } from "../model/problem.ts";
import type { Revision, Store } from "../store/store.ts";

/** The one way to change the mesh: a write compiles the whole new mesh and is rejected with every problem found. */
export interface MeshWriter {
  /** What `write` would do, without doing it. */
  check(change: Change): CheckResult;
  write(change: Change, options: WriteOptions): WriteResult;
}

export interface WriteOptions {
  /** Who writes: "admin", "files". */
  readonly author: string;
  /** One line that says why. */
  readonly message?: string;
  /** What was found wrong by other means: the change is rejected with it, and with all that compiling finds. */
  readonly found: readonly Problem[];
}

export type CheckResult =
  | { readonly ok: true; readonly mesh: Mesh; readonly compiled: Compiled }
  | { readonly ok: false; readonly problems: readonly Problem[] };

export type WriteResult =
  /** `revision` is absent when the change changed nothing. */
  | { readonly ok: true; readonly revision: Revision | undefined; readonly compiled: Compiled }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/**
 * Makes the writer of a store. `compileMesh` is the compiler with the other inputs (filter artifacts) bound.
 * Nothing awaits between compile and commit, so what was checked is what is committed.
 */
export function meshWriter(store: Store, compileMesh: (mesh: Mesh) => Compiled): MeshWriter {
  const check = (change: Change): CheckResult => {
    const mesh = store.get().mesh.changed(change);
    const compiled = compileMesh(mesh);
    return compiled.problems.length === 0 ? { ok: true, mesh, compiled } : { ok: false, problems: compiled.problems };
  };
  return {
    check,
    write(change, { author, message = "", found }) {
      const expectedRevision = store.get().revision;
      const checked = check(change);
      const problems = [...(checked.ok ? [] : checked.problems), ...found];
      if (!checked.ok || problems.length > 0) return { ok: false, problems };
      return { ...checked, revision: store.commit(change, { author, message, expectedRevision }) };
    },
  };
}
