import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { pino } from "pino";
import type { Compile, CompiledInputs } from "../compile/compile.ts";
import { memoCompile } from "../compile/memo.ts";
import type { Artifacts } from "../filter-registry/artifact.ts";
import type { Document } from "../model/document.ts";
import { Mesh } from "../model/mesh.ts";
import { nowhere } from "../model/node.ts";
import { Value } from "../process/watchable.ts";
import type { MeshState } from "../store/store.ts";
import { startReconciler } from "./reconciler.ts";
import { SnapshotCache } from "./snapshot-cache.ts";

const group = (name: string): Document => ({ kind: "NodeGroup", name, spec: { match: { ids: [`${name}-*`] } } });
const cluster: Document = { kind: "Cluster", name: "cart", spec: { eds: {} } };
const node = { id: "eu-1", cluster: "", metadata: {}, locality: nowhere };

test("the function that finds the group of a proxy changes only when NodeGroups change", (t) => {
  const store = new Value<MeshState>({ revision: 1, mesh: Mesh.of([group("eu")]) });
  const cache = new SnapshotCache();
  const reconciler = startReconciler({
    meshes: store,
    artifacts: new Value<Artifacts>(new Map()),
    compile: memoCompile(),
    cache,
    holdOffMs: 0,
    log: pino({ level: "silent" }),
  });
  t.after(() => reconciler.close());
  const change = (...set: Document[]) => {
    const { revision, mesh } = store.get();
    store.set({ revision: revision + 1, mesh: mesh.changed({ set, delete: [] }) });
    return cache.get();
  };
  const first = cache.get();
  assert.equal(first?.groupOf(node), "eu");
  const second = change(cluster);
  assert.notEqual(second?.snapshots, first?.snapshots);
  assert.equal(second?.groupOf, first?.groupOf);
  const third = change(group("asia"));
  assert.notEqual(third?.groupOf, first?.groupOf);
  assert.equal(third?.groupOf({ ...node, id: "asia-1" }), "asia");
});

test("a change that pushes nothing does not delay the next one", async (t) => {
  const store = new Value<MeshState>({ revision: 1, mesh: Mesh.of([]) });
  const artifacts = new Value<Artifacts>(new Map());
  const cache = new SnapshotCache();
  const log = pino({ level: "silent" });
  const options = { meshes: store, artifacts, compile: memoCompile(), cache, holdOffMs: 50, log };
  const reconciler = startReconciler(options);
  t.after(() => reconciler.close());
  const write = (name: string) => {
    const { revision, mesh } = store.get();
    store.set({ revision: revision + 1, mesh: mesh.changed({ set: [{ ...cluster, name }], delete: [] }) });
  };
  const published = (change: () => void) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const unwatch = cache.watch(() => resolve());
    change();
    return promise.finally(unwatch);
  };
  await published(() => write("held off by the start"));
  // Twice: a timer may end a little early.
  for (let round = 0; round < 2; round++) await published(() => artifacts.set(new Map()));
  const before = cache.get();
  write("published at once");
  assert.notEqual(cache.get(), before);
  const now = cache.get();
  write("held off");
  assert.equal(cache.get(), now);
});

/** A reconciler of meshes with or without their compiled result. Counts how often the reconciler compiles one itself. */
function counted(t: TestContext, holdOffMs: number) {
  const meshes = new Value<MeshState & { readonly compiled?: CompiledInputs }>({ revision: 0, mesh: Mesh.empty });
  const artifacts = new Value<Artifacts>(new Map());
  const cache = new SnapshotCache();
  const compile = memoCompile();
  let runs = 0;
  const counting: Compile = (inputs) => {
    runs += 1;
    return compile(inputs);
  };
  const log = pino({ level: "silent" });
  const reconciler = startReconciler({ meshes, artifacts, compile: counting, cache, holdOffMs, log });
  t.after(() => reconciler.close());
  const next = (name: string) => {
    const { revision, mesh } = meshes.get();
    return { revision: revision + 1, mesh: mesh.changed({ set: [{ ...cluster, name }], delete: [] }) };
  };
  return {
    artifacts,
    cache,
    runs: () => runs,
    /** Sets a mesh as this process's writer does, with its compiled result. */
    write(name: string) {
      const state = next(name);
      const inputs = { mesh: state.mesh, artifacts: artifacts.get() };
      const compiled = compile(inputs);
      meshes.set({ ...state, compiled: { inputs, compiled } });
      return compiled;
    },
    /** Sets a mesh as another server's revision arrives, without a compiled result. */
    receive: (name: string) => meshes.set(next(name)),
    published: () =>
      [...(cache.get()?.snapshots.get("default")?.resources.values() ?? [])].flatMap((set) => [...set.keys()]),
  };
}

test("the compiled result of a writer is published as it is, and only a mesh without one is compiled", (t) => {
  const { artifacts, cache, runs, write, receive, published } = counted(t, 0);
  assert.equal(runs(), 1, "the mesh at the start is compiled");
  const compiled = write("a");
  assert.equal(cache.get()?.snapshots, compiled.snapshots);
  assert.equal(runs(), 1);
  receive("b");
  assert.deepEqual([published().sort(), runs()], [["a", "a", "b", "b"], 2]);
  write("c");
  assert.equal(runs(), 2);
  artifacts.set(new Map());
  assert.equal(runs(), 3, "other modules may change the resources");
});

test("only the newest of several writes within the hold-off is published, and none is compiled again", async (t) => {
  const { cache, runs, write } = counted(t, 30);
  const published: unknown[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  cache.watch((each) => {
    published.push(each?.snapshots);
    resolve();
  });
  const written = ["a", "b", "c"].map(write);
  await promise;
  assert.deepEqual(
    published.map((snapshots) => written.findIndex((each) => each.snapshots === snapshots)),
    [2],
  );
  assert.equal(runs(), 1);
});
