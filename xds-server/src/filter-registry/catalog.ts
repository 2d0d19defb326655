import type { Watchable } from "../watchable.ts";

/** One compiled filter, immutable, named by its content. */
export interface Artifact {
  /** Lower-case hexadecimal sha256 of the module. */
  readonly sha256: string;
  /** The filter that it was uploaded for: "request-policy". */
  readonly filter: string;
  readonly wasm: Uint8Array;
  /** Milliseconds since the epoch of the first upload. */
  readonly uploadedAt: number;
}

/** The modules that Filter documents may refer to, by sha256. `filter-registry/` owns it; `compile` reads the value. */
export type Artifacts = ReadonlyMap<string, Artifact>;

/** Keeps uploaded modules. A module is checked before it is kept. */
export interface Catalog extends Watchable<Artifacts> {
  /** What was found wrong where the modules are kept, at the start: those modules are left out. */
  readonly faults: readonly string[];
  /** Checks a module and keeps it. Uploading the same bytes again is no fault and changes nothing. */
  add(upload: { readonly filter: string; readonly wasm: Uint8Array }): Promise<AddResult>;
  /**
   * Why a module would refuse a configuration, a text, empty for none: asked before a Filter document is accepted, as
   * Envoy itself gives no reason. Empty when all is well.
   */
  checkConfiguration(sha256: string, configuration: string): Promise<readonly string[]>;
  /** The versions of a filter, newest first; of all filters when no name is given. */
  list(filter?: string): readonly Artifact[];
}

export type AddResult =
  | { readonly ok: true; readonly artifact: Artifact }
  /** Why the module cannot run in Envoy, in words for its author: all causes found. */
  | { readonly ok: false; readonly causes: readonly string[] };
