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
  /** The minimum time between two publications, in milliseconds. It turns a burst of writes into few pushes. */
  readonly holdOffMs: number;
  readonly log: Logger;
}

export interface Reconciler {
  close(): void;
}

/**
 * Publishes snapshots of the newest mesh and modules. The first change after a quiet time is published at once. Changes in
 * the `holdOffMs` after it are published together at the end of that time. A result of the writer's compiler is published as
 * it is. The reconciler compiles every other mesh: the one at the start, one that another server wrote, and the newest one
 * after an upload.
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
      // Writes are checked before they are committed. So the store comes from elsewhere, a module is lost, or an older compiler
      // accepted the mesh.
      log.error({ revision, problems }, "the mesh does not compile; proxies keep the last published snapshot");
      return;
    }
    const newest = mesh.all("NodeGroup");
    if (newest !== groups) {
      groups = newest;
      // A new function makes each proxy look up its group again. The map of NodeGroups stays the same object until one changes.
      groupOf = (node) => nodeGroupOf(node, newest);
    }
    // A publication that pushes nothing does not delay the next one. An upload of a module that no document names is an example.
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
