import { isDeepStrictEqual } from "node:util";
import type { Catalog } from "./filter-registry/catalog.ts";
import type { Change } from "./model/mesh.ts";
import type { Problem } from "./model/problem.ts";
import type { Store } from "./store/store.ts";

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
      const { kind, name, spec } = document;
      const { sha256, config } = spec as { readonly sha256: string; readonly config?: unknown };
      const isAsBefore = isDeepStrictEqual(store.get().mesh.get("Filter", name)?.spec, spec);
      if (isAsBefore || !catalog.get().has(sha256)) continue;
      const causes = await catalog.checkConfiguration(sha256, config === undefined ? "" : JSON.stringify(config));
      for (const cause of causes) {
        const message = `Cannot use filter "${name}" with this configuration: ${cause}`;
        problems.push({ code: "FILTER_CONFIG_REFUSED", kind, name, path: "spec.config", message });
      }
    }
    return problems;
  };
}
