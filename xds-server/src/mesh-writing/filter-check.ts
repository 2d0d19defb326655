import { isDeepStrictEqual } from "node:util";
import type { Catalog } from "../filter-registry/catalog.ts";
import type { Document } from "../model/document.ts";
import type { Change } from "../model/mesh.ts";
import { type Fault, type Problem, problemOf } from "../model/problem.ts";
import type { Store } from "../store/store.ts";

/**
 * Finds what only running the filters can tell of a change. Everybody who writes asks this first, and then makes the
 * change without waiting for anything else in between.
 */
export type CheckFilters = (change: Change) => Promise<readonly Problem[]>;

/** Runs each configuration that a change brings through its module, as Envoy will. Unknown modules are the compiler's to report. */
export function filterChecker(store: Store, catalog: Catalog): CheckFilters {
  return async ({ set }) => {
    const problems: Problem[] = [];
    for (const document of set) {
      if (document.kind !== "Filter") continue;
      const { name, spec } = document as Document<"Filter">;
      const before = store.get().mesh.get("Filter", name)?.spec;
      for (const [path, is, was] of [
        ["spec", spec, before],
        ["spec.canary", spec.canary, before?.canary],
      ] as const) {
        const isAsBefore = is?.sha256 === was?.sha256 && isDeepStrictEqual(is?.config, was?.config);
        if (is === undefined || isAsBefore || !catalog.get().has(is.sha256)) continue;
        const faults = await catalog.checkConfiguration(is.sha256, is.config);
        problems.push(...faults.map((fault) => configProblem(name, path, fault)));
      }
    }
    return problems;
  };
}

/** The digests that documents of the mesh, or of a revision that it may go back to, name. */
export function modulesInUse(store: Store): ReadonlySet<string> {
  const named = new Set<string>();
  const add = (document: Document | undefined) => {
    if (document?.kind !== "Filter") return;
    const { sha256, canary } = (document as Document<"Filter">).spec;
    named.add(sha256);
    if (canary !== undefined) named.add(canary.sha256);
  };
  for (const document of store.get().mesh.all("Filter").values()) add(document);
  for (const { changes } of store.revisions({ limit: Number.MAX_SAFE_INTEGER })) {
    for (const { before, after } of changes) {
      add(before);
      add(after);
    }
  }
  return named;
}

function configProblem(name: string, spec: string, fault: Fault): Problem {
  const { path = "" } = fault;
  const action = `Cannot use filter "${name}" with this configuration`;
  const inDocument = path === "" || path.startsWith("[") ? `${spec}.config${path}` : `${spec}.config.${path}`;
  const subject = path === "" ? "it" : `${path}:`;
  return problemOf({ ...fault, path: inDocument }, { action, subject, kind: "Filter", name });
}
