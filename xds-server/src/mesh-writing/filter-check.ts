import { isDeepStrictEqual } from "node:util";
import type { Catalog } from "../filter-registry/catalog.ts";
import type { Document } from "../model/document.ts";
import type { Change, Mesh } from "../model/mesh.ts";
import { type Fault, type Problem, problemOf } from "../model/problem.ts";
import type { Store } from "../store/store.ts";

/**
 * Runs the modules of one write with their new configurations, as Envoy will. Each module runs once with each configuration.
 * The compiler reports unknown modules.
 */
export class FilterCheck {
  readonly #catalog: Pick<Catalog, "get" | "checkConfiguration">;
  readonly #faults = new Map<string, readonly Fault[]>();

  constructor(catalog: Pick<Catalog, "get" | "checkConfiguration">) {
    this.#catalog = catalog;
  }

  /** Runs every new configuration of a change that this check has not run yet. */
  async run(change: Change, mesh: Mesh): Promise<void> {
    for (const { key, sha256, config } of this.#newConfigurations(change, mesh)) {
      if (!this.#faults.has(key)) this.#faults.set(key, await this.#catalog.checkConfiguration(sha256, config));
    }
  }

  /** Whether this check has run every new configuration of a change. */
  covers(change: Change, mesh: Mesh): boolean {
    return this.#newConfigurations(change, mesh).every(({ key }) => this.#faults.has(key));
  }

  problems(change: Change, mesh: Mesh): readonly Problem[] {
    return this.#newConfigurations(change, mesh).flatMap(({ key, name, path }) =>
      (this.#faults.get(key) ?? []).map((fault) => configProblem(name, path, fault)),
    );
  }

  #newConfigurations({ set }: Change, mesh: Mesh): readonly NewConfiguration[] {
    return set
      .filter((document) => document.kind === "Filter")
      .flatMap((document) => {
        const { name, spec } = document as Document<"Filter">;
        const before = mesh.get("Filter", name)?.spec;
        return [
          ...newConfigurationOf(name, "spec", spec, before),
          ...newConfigurationOf(name, "spec.canary", spec.canary, before?.canary),
        ];
      })
      .filter(({ sha256 }) => this.#catalog.get().has(sha256));
  }
}

interface Configured {
  readonly sha256: string;
  readonly config?: unknown;
}

/** A module with a configuration that it did not have before. */
interface NewConfiguration extends Configured {
  /** Equal for the same module with the same configuration. */
  readonly key: string;
  /** The name of the Filter document. */
  readonly name: string;
  /** Where the document names the module: "spec" or "spec.canary". */
  readonly path: string;
}

function newConfigurationOf(
  name: string,
  path: string,
  is: Configured | undefined,
  was: Configured | undefined,
): readonly NewConfiguration[] {
  if (is === undefined) return [];
  const { sha256, config } = is;
  if (sha256 === was?.sha256 && isDeepStrictEqual(config, was.config)) return [];
  return [{ key: `${sha256} ${JSON.stringify(config)}`, sha256, config, name, path }];
}

/** The digests of the modules that Filters name, in the mesh or in a revision that can be restored. */
export async function modulesInUse(store: Store): Promise<ReadonlySet<string>> {
  const named = new Set<string>();
  const add = (document: Document | undefined) => {
    if (document?.kind !== "Filter") return;
    const { sha256, canary } = (document as Document<"Filter">).spec;
    named.add(sha256);
    if (canary !== undefined) named.add(canary.sha256);
  };
  for (const document of store.get().mesh.all("Filter").values()) add(document);
  for (const { changes } of await store.revisions({ limit: Number.MAX_SAFE_INTEGER })) {
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
