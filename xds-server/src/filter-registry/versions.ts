import type { Fault } from "../model/problem.ts";

/** One version of a filter. Its bytes never change. */
export interface FilterVersion {
  /** "request-policy" */
  readonly filter: string;
  /** "1.2.0", unique within its filter. */
  readonly version: string;
  /** Lower-case hexadecimal sha256 of the module. */
  readonly sha256: string;
  /** The time of the first push, in milliseconds since the epoch. */
  readonly pushedAt: number;
}

export interface Pushed {
  readonly filter: string;
  readonly sha256: string;
  /** The version in the push request. */
  readonly requested: string | undefined;
  /** The version in the module's manifest. */
  readonly manifestVersion: string | undefined;
}

export type Chosen =
  /** The module already is a version. */
  { readonly found: FilterVersion } | { readonly version: string } | { readonly fault: Fault };

/**
 * The version for a push. A requested version is used as it is, or rejected when it is another module. Without one, the
 * manifest's version is used. Authors do not raise it for each push, so when it is another module, the beginning of the
 * digest is added as build metadata of semantic versioning ("1.2.0+3fa9c1d2"). If the manifest has no version, the beginning
 * of the digest is the version.
 */
export function chooseVersion(
  versions: readonly FilterVersion[],
  { filter, sha256, requested, manifestVersion }: Pushed,
): Chosen {
  const known = versions.filter((each) => each.filter === filter);
  const same = known.findLast(
    (each) => each.sha256 === sha256 && (requested === undefined || each.version === requested),
  );
  if (same !== undefined) return { found: same };
  const taken = (version: string) => known.find((each) => each.version === version);
  if (requested === undefined) {
    if (manifestVersion === undefined) return { version: sha256.slice(0, 12) };
    const separator = manifestVersion.includes("+") ? "." : "+";
    const isTaken = taken(manifestVersion) !== undefined;
    return { version: isTaken ? `${manifestVersion}${separator}${sha256.slice(0, 8)}` : manifestVersion };
  }
  const other = taken(requested);
  if (other === undefined) return { version: requested };
  const message = `cannot be version ${requested}: that version is another module (${other.sha256.slice(0, 12)}), and a version never changes`;
  const hint = "choose another version, or give none";
  return { fault: { code: "FILTER_VERSION_TAKEN", message, found: requested, hint } };
}

/**
 * The version to drop when there is no room: the oldest one whose module is not needed. Undefined when all modules are needed.
 * A module is needed when a document of any kept revision names it.
 */
export function droppable(versions: readonly FilterVersion[], needed: ReadonlySet<string>): FilterVersion | undefined {
  return versions.find(({ sha256 }) => !needed.has(sha256));
}
