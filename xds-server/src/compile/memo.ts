import { builders, rememberingBuilders } from "./builders.ts";
import { type Compile, compileMesh } from "./compile.ts";
import { compileEdits, type Generation } from "./edits.ts";

/**
 * A compiler with a memory. It builds and encodes again only what a change affects. Resources, sets and snapshots that did not
 * change stay the same objects. The memory of a document is freed together with the document.
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
    // A mesh with problems lacks resources. After it, the next good mesh would look like a change of everything.
    if (run.compiled.problems.length === 0) generation = { ...run.placement, inputs };
    return run.compiled;
  };
}
