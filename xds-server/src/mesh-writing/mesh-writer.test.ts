import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { memoCompile } from "../compile/memo.ts";
import { openCatalog } from "../filter-registry/artifacts.ts";
import { catalogLimits, handMade, least, op } from "../filter-registry/testing.ts";
import type { Document } from "../model/document.ts";
import type { Change } from "../model/mesh.ts";
import { Turns } from "../process/turns.ts";
import { MemoryDatabase, openMemoryStore } from "../store/memory-store.ts";
import { type MeshState, RevisionConflict, StoreClosed } from "../store/store.ts";
import { type MeshWriter, meshWriter, type WriteResult } from "./mesh-writer.ts";

describe("writes", () => {
  it("started together run one after another, each on the mesh of the one before", async (t) => {
    const { writer } = await server(t);
    await Promise.all(Array.from({ length: 20 }, () => written(writer.write(oneMore, by))));
    assert.equal(count(writer.get()), 20);
    assert.equal(writer.get().revision, 20);
  });

  it("are attempted again on the new mesh when another server commits first", async (t) => {
    const database = new MemoryDatabase();
    const [one, other] = [await server(t, database), await server(t, database)];
    const both = [one.writer.write(oneMore, by), other.writer.write(oneMore, by)];
    const revisions = await Promise.all(both.map(async (write) => (await written(write)).revision));
    assert.deepEqual(revisions.sort(), [1, 2]);
    assert.equal(database.meshAt(2)?.get("Cluster", "count")?.spec.maxRequests, 2);
  });

  it("are rejected when another server commits first at every attempt", async (t) => {
    const database = new MemoryDatabase();
    const [one, other] = [await server(t, database), await server(t, database)];
    let asked = 0;
    const overtaken = async (): Promise<Change> => {
      asked += 1;
      await written(other.writer.write(oneMore, by));
      return set(cluster("late"));
    };
    await assert.rejects(one.writer.write(overtaken, by), RevisionConflict);
    assert.equal(asked, 10, "twice for each of five attempts");
    assert.equal(one.writer.get().mesh.get("Cluster", "late"), undefined);
    await written(one.writer.write(() => set(cluster("late")), by));
  });

  it("that change nothing make no revision", async (t) => {
    const { writer } = await server(t);
    await written(writer.write(() => set(cluster("a")), by));
    const again = await written(writer.write(() => set(cluster("a")), by));
    assert.deepEqual([again.revision, again.edit.changes], [1, []]);
  });

  it("that are only checked return their result and change nothing", async (t) => {
    const { writer } = await server(t);
    const checked = await written(writer.check(() => set(cluster("a"))));
    assert.deepEqual([checked.revision, checked.edit.changes.length], [0, 1]);
    assert.equal(writer.get().revision, 0);
  });

  it("end with the error that their change throws, and other writes continue", async (t) => {
    const { writer } = await server(t);
    const failing = () => {
      throw new Error("not as it was");
    };
    const both = [writer.write(failing, by), writer.write(oneMore, by)] as const;
    await assert.rejects(both[0], /not as it was/);
    await written(both[1]);
  });

  it("that are under way end before `close` resolves, and those behind them are not made", async (t) => {
    const { writer, store } = await server(t);
    const writes = [writer.write(oneMore, by), writer.write(oneMore, by)] as const;
    const second = assert.rejects(writes[1], StoreClosed);
    await nextTurn();
    await writer.close();
    await written(writes[0]);
    await second;
    assert.equal(store.get().revision, 1);
  });
});

describe("filters of a write", () => {
  it("run once with each configuration, even if the write is attempted several times", async (t) => {
    const database = new MemoryDatabase();
    const [one, other] = [await server(t, database), await server(t, database)];
    const sha256 = await one.module();
    let overtakes = 3;
    const changeOf = async (): Promise<Change> => {
      if (overtakes-- > 0) await written(other.writer.write(oneMore, by));
      const named = (name: string) => filter(name, { sha256, config: { name: "same" } });
      return set(...edge, named("f"), named("g"), filter("h", { sha256, config: { name: "another" } }));
    };
    await written(one.writer.write(changeOf, by));
    assert.deepEqual(one.ran, [{ name: "same" }, { name: "another" }]);
    await written(one.writer.write(() => set(filter("f", { sha256, config: { name: "same" }, order: 1 })), by));
    assert.equal(one.ran.length, 2, "a configuration in the mesh does not run again");
  });

  it("run within the write's turn when other writes change the configuration at every attempt", async (t) => {
    const here = await server(t);
    const sha256 = await here.module();
    let asked = 0;
    const everAnother = (): Change => {
      asked += 1;
      return set(...edge, filter("f", { sha256, config: { asked } }));
    };
    await written(here.writer.write(everAnother, by));
    assert.equal(asked, 10, "twice for each of five attempts");
    assert.deepEqual(here.ran.at(-1), { asked: 10 });
  });

  it("also run with a configuration that first appears at a later attempt", async (t) => {
    const here = await server(t);
    const sha256 = await here.module({ rejecting: true });
    const ifSeen = ({ mesh }: MeshState): Change =>
      mesh.get("Cluster", "count") === undefined ? set() : set(...edge, filter("f", { sha256, config: {} }));
    const both = [here.writer.write(oneMore, by), here.writer.write(ifSeen, by)] as const;
    await written(both[0]);
    assert.deepEqual(codes(await both[1]), ["FILTER_CONFIG_REJECTED"]);
    assert.equal(here.ran.length, 1);
  });

  it("and the compiler report their problems together, for a write and for a check", async (t) => {
    const here = await server(t);
    const sha256 = await here.module({ rejecting: true });
    const orphan = {
      kind: "Route",
      name: "r",
      spec: { hosts: ["*"], routes: [{ match: {}, cluster: "no" }] },
    } as const;
    const faulty = () => set(...edge, orphan, filter("f", { sha256, canary: { sha256, config: 1, percent: 1 } }));
    const expected = ["FILTER_CONFIG_REJECTED", "FILTER_CONFIG_REJECTED", "ROUTE_UNKNOWN_CLUSTER"];
    for (const result of [await here.writer.write(faulty, by), await here.writer.check(faulty)])
      assert.deepEqual(codes(result), expected);
    assert.equal(here.store.get().revision, 0);
  });

  it("do not delay other writes while they run", async (t) => {
    const here = await server(t);
    const sha256 = await here.module();
    const { promise: mayEnd, resolve } = Promise.withResolvers<void>();
    here.running.push(mayEnd);
    const slow = here.writer.write(() => set(...edge, filter("f", { sha256 })), by);
    await written(here.writer.write(oneMore, by));
    assert.equal(here.store.get().mesh.get("Filter", "f"), undefined);
    resolve();
    assert.equal((await written(slow)).revision, 2);
  });
});

describe("the newest mesh of a writer", () => {
  it("comes with its compiled result, before the write resolves", async (t) => {
    const { writer } = await server(t);
    const seen: unknown[] = [];
    writer.watch(({ compiled }) => seen.push(compiled?.compiled));
    const first = await written(writer.write(oneMore, by));
    await written(writer.check(oneMore));
    const second = await written(writer.write(oneMore, by));
    assert.deepEqual(
      seen.map((compiled, at) => compiled === [first, second][at]?.compiled),
      [true, true],
    );
    assert.equal(writer.get().compiled?.inputs.mesh, second.edit.after);
  });

  it("comes without a compiled result when another server wrote it", async (t) => {
    const database = new MemoryDatabase();
    const [one, other] = [await server(t, database), await server(t, database)];
    await written(one.writer.write(oneMore, by));
    const received = new Promise<void>((resolve) => other.writer.watch(() => resolve()));
    if (other.writer.get().revision === 0) await received;
    const { revision, compiled } = other.writer.get();
    assert.deepEqual([revision, compiled], [1, undefined]);
  });
});

const by = { author: "test" };

/** A writer on a real catalog and a real store that answers late. */
async function server(t: TestContext, database = new MemoryDatabase()) {
  const store = openMemoryStore({ database, now: () => 1000, keepRevisions: 100, latency: () => nextTurn() });
  const directory = mkdtempSync(join(tmpdir(), "chancery-writer-"));
  const real = await openCatalog({ directory, ...catalogLimits });
  /** The configurations that modules were run with. */
  const ran: unknown[] = [];
  /** What a run waits for before it ends. */
  const running: Promise<void>[] = [];
  const catalog = {
    get: () => real.get(),
    async checkConfiguration(sha256: string, config: unknown) {
      ran.push(config);
      await Promise.all(running);
      return real.checkConfiguration(sha256, config);
    },
  };
  const writer: MeshWriter = meshWriter({ store, catalog, compile: memoCompile(), turns: new Turns() });
  t.after(async () => {
    await writer.close();
    await store.close();
    rmSync(directory, { recursive: true });
  });
  /** Uploads a module, and returns its digest. */
  const module = async ({ rejecting = false } = {}): Promise<string> => {
    const configure = { signature: "i32 i32 -> i32", body: op.constant(rejecting ? 0 : 1) };
    const wasm = handMade({ functions: { ...least, proxy_on_configure: configure } });
    const added = await real.add({ filter: "f", wasm });
    assert.ok(added.ok, JSON.stringify(added));
    return added.artifact.sha256;
  };
  return { store, writer, module, ran, running };
}

/** Increments a number in the mesh. A write on an old mesh would lose an increment. */
function oneMore(state: MeshState): Change {
  return set(cluster("count", { maxRequests: count(state) + 1 }));
}

function count({ mesh }: MeshState): number {
  return mesh.get("Cluster", "count")?.spec.maxRequests ?? 0;
}

async function written(result: Promise<WriteResult>): Promise<WriteResult & { readonly ok: true }> {
  const settled = await result;
  assert.ok(settled.ok, JSON.stringify(settled));
  return settled;
}

function codes(result: WriteResult): readonly string[] {
  return result.ok ? assert.fail("the write was accepted") : result.problems.map(({ code }) => code).sort();
}

function set(...documents: readonly Document[]): Change {
  return { set: documents, delete: [] };
}

function cluster(name: string, more: Partial<Document<"Cluster">["spec"]> = {}): Document {
  return { kind: "Cluster", name, spec: { eds: {}, ...more } };
}

function filter(name: string, spec: Omit<Document<"Filter">["spec"], "listeners">): Document {
  return { kind: "Filter", name, spec: { listeners: ["edge"], ...spec } };
}

const edge: readonly Document[] = [
  { kind: "Listener", name: "edge", spec: { port: 0, http: { routes: ["rest"] } } },
  {
    kind: "Route",
    name: "rest",
    spec: { hosts: ["*"], routes: [{ match: {}, directResponse: { status: 404 } }] },
  },
];
