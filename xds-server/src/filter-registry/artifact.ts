import type { ModuleFacts } from "./module-check.ts";

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
