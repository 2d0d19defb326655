import type { Logger } from "pino";
import type { Compile, CompiledInputs } from "../compile/compile.ts";
import type { Artifacts } from "../filter-registry/artifact.ts";
import type { Document } from "../model/document.ts";
import { defaultNodeGroup, nodeGroupOf } from "../model/node-group.ts";
import type { Watchable } from "../process/watchable.ts";
import type { MeshState } from "../store/store.ts";
import type { Published, SnapshotCache } from "./snapshot-cache.ts";

export interface ReconcilerOptions {
  readonly meshes: Watchable<MeshState & { readonly compiled?: CompiledInputs }>;
  readonly artifacts: Watchable<Artifacts>;
  readonly compile: Compile;
  readonly cache: SnapshotCache;
  /** The least time between two publications, in milliseconds: a burst of writes becomes few pushes. */
  readonly holdOffMs: number;
  readonly log: Logger;
}

export interface Reconciler {
  close(): void;
}

/**
 * The one loop from inputs to snapshots. The first change after a quiet time is published at once; those that follow
 * within `holdOffMs` are published together at its end. What the writer compiled is published as it is. The
 * reconciler compiles every other mesh: the one at the start, one that another server wrote, and the newest one after an upload.
 */
export function startReconciler(options: ReconcilerOptions): Reconciler {
  const { meshes, artifacts, compile, cache, holdOffMs, log } = options;
  let lastAt = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  let groups: ReadonlyMap<string, Document<"NodeGroup">> | undefined;
  let groupOf: Published["groupOf"] = () => defaultNodeGroup;

  const reconcile = (): void => {
    timer = undefined;
    const { revision, mesh, compiled } = meshes.get();
    const inputs = { mesh, artifacts: artifacts.get() };
    const { snapshots, problems } =
      compiled?.inputs.artifacts === inputs.artifacts ? compiled.compiled : compile(inputs);
    if (problems.length > 0) {
      // Writes are checked before they are kept, so this is a store from elsewhere: an artifact lost, an older compiler.
      log.error({ revision, problems }, "the mesh does not compile; proxies keep the last snapshot that did");
      return;
    }
    const newest = mesh.all("NodeGroup");
    if (newest !== groups) {
      groups = newest;
      // A mesh keeps what did not change. Another function says that proxies may belong elsewhere now, so only then is each looked at again.
      groupOf = (node) => nodeGroupOf(node, newest);
    }
    // What pushes nothing, as a module that was uploaded and no document names yet, is no reason for the next to wait.
    if (!hasSame(snapshots, cache.get()?.snapshots)) lastAt = performance.now();
    cache.set({ snapshots, groupOf });
    log.debug({ revision, groups: snapshots.size }, "published");
  };
  const due = (): void => {
    if (timer !== undefined) return;
    const wait = lastAt + holdOffMs - performance.now();
    if (wait <= 0) reconcile();
    else timer = setTimeout(reconcile, wait);
  };

  reconcile();
  const unwatch = [meshes.watch(due), artifacts.watch(due)];
  return {
    close() {
      clearTimeout(timer);
      for (const stop of unwatch) stop();
    },
  };
}

function hasSame(snapshots: Published["snapshots"], before: Published["snapshots"] = new Map()): boolean {
  return snapshots.size === before.size && [...snapshots].every(([group, each]) => before.get(group) === each);
}
