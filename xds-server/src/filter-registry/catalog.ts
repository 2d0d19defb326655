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
  /** Checks a module and keeps it. Uploading the same bytes again is no fault and changes nothing. */
  add(upload: { readonly filter: string; readonly wasm: Uint8Array }): Promise<AddResult>;
  /** The versions of a filter, newest first; of all filters when no name is given. */
  list(filter?: string): readonly Artifact[];
}

export type AddResult =
  | { readonly ok: true; readonly artifact: Artifact }
  /** Why the module cannot run in Envoy, in words for its author: all causes found. */
  | { readonly ok: false; readonly causes: readonly string[] };
