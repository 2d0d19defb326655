import type { ModuleFault } from "./module-fault.ts";

/** One version of a filter. Which bytes it means never changes. */
export interface FilterVersion {
  /** "request-policy" */
  readonly filter: string;
  /** "1.2.0", unique within its filter. */
  readonly version: string;
  /** Lower-case hexadecimal sha256 of the module. */
  readonly sha256: string;
  /** Milliseconds since the epoch of the first push. */
  readonly pushedAt: number;
}

export interface Pushed {
  readonly filter: string;
  readonly sha256: string;
  /** What the push asked for. */
  readonly wished: string | undefined;
  /** What the module's manifest says. */
  readonly own: string | undefined;
}

export type Chosen =
  /** It is there already. */
  { readonly found: FilterVersion } | { readonly version: string } | { readonly fault: ModuleFault };

/**
 * The version that a push makes. A version that was asked for is that or rejected. Otherwise the manifest's, which an
 * author does not raise for each trial: where it has other bytes already, the digest tells the new ones apart
 * ("1.2.0+3fa9c1d2", as semantic versioning has it).
 */
export function chooseVersion(versions: readonly FilterVersion[], { filter, sha256, wished, own }: Pushed): Chosen {
  const known = versions.filter((each) => each.filter === filter);
  const same = known.findLast((each) => each.sha256 === sha256 && (wished === undefined || each.version === wished));
  if (same !== undefined) return { found: same };
  const taken = (version: string) => known.find((each) => each.version === version);
  if (wished === undefined) {
    if (own === undefined) return { version: sha256.slice(0, 12) };
    return { version: taken(own) === undefined ? own : `${own}${own.includes("+") ? "." : "+"}${sha256.slice(0, 8)}` };
  }
  const other = taken(wished);
  if (other === undefined) return { version: wished };
  const message = `cannot be version ${wished}, which is another module (${other.sha256.slice(0, 12)}) for ever`;
  const hint = "choose another version, or leave it out";
  return { fault: { code: "FILTER_VERSION_TAKEN", message, found: wished, hint } };
}

/**
 * The version to let go of when there is no room: the oldest one whose module nothing needs. Undefined when all are
 * needed, and then the new one is rejected: a module that a document of any kept revision names is never dropped.
 */
export function droppable(versions: readonly FilterVersion[], needed: ReadonlySet<string>): FilterVersion | undefined {
  return versions.find(({ sha256 }) => !needed.has(sha256));
}
