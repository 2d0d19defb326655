import { builders, rememberingBuilders } from "./builders.ts";
import { type Compile, compileMesh } from "./compile.ts";
import { compileEdits, type Generation } from "./edits.ts";

/**
 * A compiler that remembers: it builds and encodes again only what a change touched, and gives resources, sets and
 * snapshots that stayed the same as the same objects. What it remembers of a document goes when the document goes.
 */
export function memoCompile(made = builders): Compile {
  const make = rememberingBuilders(made);
  let generation: Generation | undefined;
  return (inputs) => {
    const edited = generation && compileEdits(generation, inputs, make);
    if (edited !== undefined) {
      generation = edited;
      return { snapshots: edited.snapshots, problems: [] };
    }
    const run = compileMesh(inputs, make, generation);
    // A rejected mesh lacks resources, and would make the next good one look like a change of everything.
    if (run.compiled.problems.length === 0) generation = { ...run.placement, inputs };
    return run.compiled;
  };
}
