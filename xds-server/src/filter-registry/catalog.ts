import type { Watchable } from "../process/watchable.ts";
import type { ModuleFacts } from "./module-check.ts";
import type { ModuleFault } from "./module-fault.ts";
import type { FilterVersion } from "./versions.ts";

/** One compiled module, immutable, named by its content. */
export interface Artifact {
  /** Lower-case hexadecimal sha256 of the module. */
  readonly sha256: string;
  readonly wasm: Uint8Array;
  readonly facts: ModuleFacts;
  /** The filter that it was first pushed for. */
  readonly filter: string;
  /** Milliseconds since the epoch, of that push. */
  readonly uploadedAt: number;
}

/** The modules that Filter documents may refer to, by sha256. `filter-registry/` owns it; `compile` reads the value. */
export type Artifacts = ReadonlyMap<string, Artifact>;

export interface Upload {
  readonly filter: string;
  readonly wasm: Uint8Array;
  /** Its version. Absent: what its manifest says, made unique by the digest where that version has other bytes. */
  readonly version?: string;
}

/** Keeps uploaded modules as versions of filters. A module is checked before it is kept, and never changed afterwards. */
export interface Catalog extends Watchable<Artifacts> {
  /** What was found wrong where the modules are kept, at the start: those modules are left out. */
  readonly faults: readonly string[];
  /** Checks a module and keeps it. Uploading the same bytes again is no fault and changes nothing. */
  add(upload: Upload): Promise<AddResult>;
  /**
   * Why a module would reject a configuration, undefined for none: asked before a Filter document is accepted, as
   * Envoy itself gives no reason. Empty when all is well.
   */
  checkConfiguration(sha256: string, config: unknown): Promise<readonly ModuleFault[]>;
  /** Keeps the source map of a module that is kept. */
  keepSourceMap(sha256: string, map: string): Promise<void>;
  /** The source map of a module; undefined when none was kept. */
  sourceMap(sha256: string): Promise<string | undefined>;
  /** The versions of a filter, newest first; of all filters when no name is given. */
  versions(filter?: string): readonly FilterVersion[];
}

export type AddResult =
  | { readonly ok: true; readonly artifact: Artifact; readonly version: FilterVersion }
  /** Why the module is not kept: all causes found. */
  | { readonly ok: false; readonly faults: readonly ModuleFault[] };
