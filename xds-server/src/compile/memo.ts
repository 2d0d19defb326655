import { builders, rememberingBuilders } from "./builders.ts";
import { type Compile, type Compiled, compileMesh, type Inputs } from "./compile.ts";
import type { Generation } from "./placement.ts";

/**
 * A compiler that remembers: it builds and encodes again only what a change touched, and gives resources, sets and
 * snapshots that stayed the same as the same objects. What it remembers of a document goes when the document goes.
 */
export function memoCompile(made = builders): Compile {
  const make = rememberingBuilders(made);
  let last: { readonly inputs: Inputs; readonly compiled: Compiled } | undefined;
  let generation: Generation | undefined;
  return (inputs) => {
    if (last?.inputs.mesh === inputs.mesh && last.inputs.artifacts === inputs.artifacts) return last.compiled;
    const run = compileMesh(inputs, make, generation);
    // A refused mesh lacks resources, and would make the next good one look like a change of everything.
    if (run.compiled.problems.length === 0) generation = run.generation;
    last = { inputs, compiled: run.compiled };
    return run.compiled;
  };
}
