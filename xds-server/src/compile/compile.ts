import type { Artifacts } from "../filter-registry/catalog.ts";
import type { Mesh } from "../model/mesh.ts";
import type { Problem } from "../model/problem.ts";
import type { Snapshot } from "../resources/snapshot.ts";

/** Everything that the compiler reads. */
export interface Inputs {
  readonly mesh: Mesh;
  readonly artifacts: Artifacts;
}

export interface Compiled {
  /** What each node group's proxies should hold. Always has `defaultNodeGroup`. Meaningless when there are problems. */
  readonly snapshots: ReadonlyMap<string, Snapshot>;
  /** Every fault found; empty when the mesh is good. */
  readonly problems: readonly Problem[];
}

/** Compiles an earlier result's resources again only where their documents changed. */
export type Compile = (inputs: Inputs) => Compiled;
