import type { ModuleFacts } from "./module-check.ts";

/** One compiled module. Immutable; its digest is its name. */
export interface Artifact {
  /** Lower-case hexadecimal sha256 of the module. */
  readonly sha256: string;
  readonly wasm: Uint8Array;
  readonly facts: ModuleFacts;
  /** The filter of its first push. */
  readonly filter: string;
  /** The time of the first push, in milliseconds since the epoch. */
  readonly uploadedAt: number;
}

/** The modules that Filter documents may refer to, by sha256. `filter-registry/` owns it; `compile` reads the value. */
export type Artifacts = ReadonlyMap<string, Artifact>;
