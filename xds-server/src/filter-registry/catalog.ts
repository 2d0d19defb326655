import type { Fault } from "../model/problem.ts";
import type { Watchable } from "../process/watchable.ts";
import type { Artifact, Artifacts } from "./artifact.ts";
import type { FilterVersion } from "./versions.ts";

export interface Upload {
  readonly filter: string;
  readonly wasm: Uint8Array;
  /** The version. When absent, `chooseVersion` takes it from the module's manifest or the digest. */
  readonly version?: string;
}

/** Keeps uploaded modules as versions of filters. A module is checked before it is kept, and never changes afterwards. */
export interface Catalog extends Watchable<Artifacts> {
  /** The faults of the files that were found at the start. Modules with a fault are left out. */
  readonly faults: readonly string[];
  /** Checks a module and keeps it. An upload of the same bytes again succeeds and changes nothing. */
  add(upload: Upload): Promise<AddResult>;
  /**
   * Why a module would reject a configuration. `config` is undefined for no configuration. Empty when the module accepts it.
   * Used before a Filter document is accepted, because Envoy itself gives no reason.
   */
  checkConfiguration(sha256: string, config: unknown): Promise<readonly Fault[]>;
  /** Keeps the source map of a module. Does nothing when the module is not kept. */
  keepSourceMap(sha256: string, map: string): Promise<void>;
  /** The source map of a module. Undefined when there is none. */
  sourceMap(sha256: string): Promise<string | undefined>;
  /** The versions of a filter, newest first. Without a name: of all filters. */
  versions(filter?: string): readonly FilterVersion[];
}

export type AddResult =
  | { readonly ok: true; readonly artifact: Artifact; readonly version: FilterVersion }
  /** All reasons why the module is rejected. */
  | { readonly ok: false; readonly faults: readonly Fault[] };
