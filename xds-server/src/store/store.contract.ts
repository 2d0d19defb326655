import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import fc from "fast-check";
import type { Document, DocumentKey } from "../model/document.ts";
import { type Change, Mesh } from "../model/mesh.ts";
import { type Revision, RevisionConflict, type Store, StoreClosed, type StoreOptions } from "./store.ts";

/** Where the stores of one test keep their data. It is removed when the test ends. */
export interface StorePlace {
  open(options: StoreOptions): Store;
}

/** Tests that every store passes. */
export function storeContract(place: (test: TestContext) => StorePlace): void {
  const opened = (test: TestContext, options: Partial<StoreOptions> = {}) => {
    const here = place(test);
    let time = 1000;
    const open = () => here.open({ now: () => ++time, keepRevisions: 100, ...options });
    let store = open();
    test.after(() => store.close());
    return {
      get store() {
        return store;
      },
      reopen: async () => {
        await store.close();
        store = open();
        return store;
      },
    };
  };

  describe("a store", () => {
    it("starts empty, at revision 0", async (t) => {
      const { store } = opened(t);
      assert.equal(store.get().revision, 0);
      assert.deepEqual([...store.get().mesh.documents()], []);
      assert.deepEqual(await store.revisions({ limit: 10 }), []);
      assert.equal(await store.revision(0), undefined);
    });

    it("numbers revisions from 1, and keeps their time, author, message and changes", async (t) => {
      const { store } = opened(t);
      const edit = store.get().mesh.edited(set(endpoints("cart", 1)));
      const first = await store.commit(edit, { author: "ann", message: "why", expectedRevision: 0 });
      const expected: Revision = {
        revision: 1,
        time: 1001,
        author: "ann",
        message: "why",
        changes: [{ kind: "Endpoints", name: "cart", after: endpoints("cart", 1) }],
      };
      assert.deepEqual(first, expected);
      assert.deepEqual(await store.revision(1), expected);
      assert.equal((await write(store, set(endpoints("cart", 2))))?.revision, 2);
    });

    it("lists each changed document before and after, sorted by kind and name", async (t) => {
      const { store } = opened(t);
      await write(store, set(endpoints("b", 1), endpoints("c", 1)));
      const change = { ...set(group("z"), endpoints("c", 2), endpoints("a", 1)), delete: [key("b")] };
      const revision = await write(store, change);
      assert.deepEqual(revision?.changes, [
        { kind: "Endpoints", name: "a", after: endpoints("a", 1) },
        { kind: "Endpoints", name: "b", before: endpoints("b", 1) },
        { kind: "Endpoints", name: "c", before: endpoints("c", 1), after: endpoints("c", 2) },
        { kind: "NodeGroup", name: "z", after: group("z") },
      ]);
      assert.deepEqual(await store.revision(2), revision);
    });

    it("makes no revision when a write changes nothing, or only the order of keys", async (t) => {
      const { store } = opened(t);
      await write(store, set(endpoints("cart", 1)));
      const { spec, name, kind } = endpoints("cart", 1);
      const otherOrder = {
        spec: { endpoints: spec.endpoints.map(({ address, port }) => ({ port, address })) },
        name,
        kind,
      };
      assert.equal(await write(store, set(otherOrder as Document)), undefined);
      assert.equal(await write(store, { set: [], delete: [key("absent")] }), undefined);
      assert.equal(await write(store, { set: [endpoints("cart", 1)], delete: [key("cart")] }), undefined);
      assert.equal(store.get().revision, 1);
    });

    it("rejects a write on a revision that is not the newest, and changes nothing", async (t) => {
      const { store } = opened(t);
      await write(store, set(endpoints("cart", 1)));
      const edit = store.get().mesh.edited(set(endpoints("cart", 2)));
      await assert.rejects(
        store.commit(edit, { author: "ann", expectedRevision: 0 }),
        (error) => error instanceof RevisionConflict && error.expected === 0 && error.actual === 1,
      );
      assert.deepEqual(store.get().mesh.get("Endpoints", "cart"), endpoints("cart", 1));
    });

    it("keeps the same object for a document that did not change", async (t) => {
      const { store } = opened(t);
      await write(store, set(endpoints("a", 1), endpoints("b", 1), group("g")));
      const before = store.get().mesh;
      await write(store, set(endpoints("a", 1), endpoints("b", 2)));
      const after = store.get().mesh;
      assert.equal(after.get("Endpoints", "a"), before.get("Endpoints", "a"));
      assert.equal(after.get("NodeGroup", "g"), before.get("NodeGroup", "g"));
      assert.equal((await store.meshAt(1))?.get("Endpoints", "a"), before.get("Endpoints", "a"));
      assert.deepEqual(before.get("Endpoints", "b"), endpoints("b", 1));
    });

    it("notifies watchers of each new revision when it can be read", async (t) => {
      const { store } = opened(t);
      const seen: unknown[] = [];
      const read: Promise<Revision | undefined>[] = [];
      const stop = store.watch(({ revision, mesh }) => {
        assert.equal(store.get().mesh, mesh);
        read.push(store.revision(revision));
        seen.push([revision, [...mesh.documents()].length]);
      });
      await write(store, set(endpoints("a", 1)));
      await write(store, set(endpoints("a", 1)));
      await write(store, set(endpoints("b", 1)));
      stop();
      await write(store, set(endpoints("c", 1)));
      assert.deepEqual(seen, [
        [1, 1],
        [2, 2],
      ]);
      assert.deepEqual(
        (await Promise.all(read)).map((revision) => revision?.revision),
        [1, 2],
      );
    });

    it("accepts exactly one of several commits on one revision, and the others see it when they are rejected", async (t) => {
      const { store } = opened(t);
      const { mesh } = store.get();
      const ports = [1, 2, 3, 4];
      const outcomes = await Promise.all(
        ports.map(async (port) => {
          const edit = mesh.edited(set(endpoints("cart", port)));
          try {
            await store.commit(edit, { author: "test", expectedRevision: 0 });
          } catch (error) {
            assert.ok(error instanceof RevisionConflict && error.expected === 0 && error.actual === 1, String(error));
            return { port, seen: store.get().revision, isWinner: false };
          }
          return { port, seen: store.get().revision, isWinner: true };
        }),
      );
      const winners = outcomes.filter(({ isWinner }) => isWinner);
      assert.equal(winners.length, 1);
      assert.deepEqual(new Set(outcomes.map(({ seen }) => seen)), new Set([1]));
      assert.deepEqual(store.get().mesh.get("Endpoints", "cart"), endpoints("cart", winners[0]?.port ?? 0));
      assert.deepEqual(numbers(await store.revisions({ limit: 9 })), [1]);
    });

    it("notifies watchers of each revision once, in order and before the commit resolves, with concurrent writers", async (t) => {
      const { store } = opened(t);
      const seen: number[] = [];
      store.watch(({ revision }) => seen.push(revision));
      const writers = ["a", "b", "c"].map(async (name) => {
        for (let port = 1; port <= 5; port++) {
          const { revision } = await persistently(store, set(endpoints(name, port)));
          assert.ok(
            seen.includes(revision),
            `the commit of revision ${revision} resolved before its watchers were notified`,
          );
        }
      });
      await Promise.all(writers);
      assert.deepEqual(
        seen,
        Array.from({ length: 15 }, (_, index) => index + 1),
      );
    });

    it("commits a watcher's own write after the revision that the watcher was notified of", async (t) => {
      const { store } = opened(t);
      const seen: number[] = [];
      const follow: Promise<unknown>[] = [];
      store.watch(({ revision }) => {
        if (revision === 1) follow.push(persistently(store, set(endpoints("b", 1))));
      });
      store.watch(({ revision }) => seen.push(revision));
      await write(store, set(endpoints("a", 1)));
      await Promise.all(follow);
      assert.deepEqual(seen, [1, 2]);
    });

    it("commits even when a watcher throws, and notifies the other watchers", async (t) => {
      const failed: unknown[] = [];
      const here = opened(t, { watcherFailed: (error) => failed.push(error) });
      const seen: number[] = [];
      const fault = new Error("the watcher's own");
      here.store.watch(() => {
        throw fault;
      });
      here.store.watch(({ revision }) => seen.push(revision));
      assert.equal((await write(here.store, set(endpoints("a", 1))))?.revision, 1);
      assert.equal((await write(here.store, set(endpoints("a", 2))))?.revision, 2);
      assert.deepEqual(
        [failed, seen],
        [
          [fault, fault],
          [1, 2],
        ],
      );
      assert.equal((await here.reopen()).get().revision, 2);
    });

    it("does not commit an edit that was made on another mesh", async (t) => {
      const { store } = opened(t);
      await write(store, set(endpoints("a", 1)));
      const elsewhere = Mesh.of([endpoints("b", 1)]).edited(set(endpoints("c", 1)));
      await assert.rejects(store.commit(elsewhere, { author: "test", expectedRevision: 1 }), /on another mesh/);
      assert.equal(store.get().revision, 1);
    });

    it("knows at which revision a document last changed", async (t) => {
      const { store } = opened(t);
      await write(store, set(endpoints("a", 1)));
      await write(store, set(endpoints("b", 1)));
      await write(store, set(endpoints("a", 2)));
      assert.deepEqual([store.revisionOf("Endpoints", "a"), store.revisionOf("Endpoints", "b")], [3, 2]);
      await write(store, { set: [], delete: [key("a")] });
      assert.equal(store.revisionOf("Endpoints", "a"), undefined);
    });

    it("lists revisions newest first, page by page", async (t) => {
      const { store } = opened(t);
      for (let port = 1; port <= 5; port++) await write(store, set(endpoints("a", port)));
      assert.deepEqual(numbers(await store.revisions({ limit: 2 })), [5, 4]);
      assert.deepEqual(numbers(await store.revisions({ limit: 2, before: 4 })), [3, 2]);
      assert.deepEqual(numbers(await store.revisions({ limit: 9, before: 2 })), [1]);
      assert.deepEqual(numbers(await store.revisions({ limit: 0 })), []);
    });

    it("returns the mesh of any revision, and undefined for a number that is no revision", async (t) => {
      const { store } = opened(t);
      await write(store, set(endpoints("a", 1)));
      await write(store, set(endpoints("b", 1)));
      await write(store, { set: [], delete: [key("a")] });
      await write(store, set(endpoints("a", 1)));
      assert.deepEqual(await Promise.all([0, 1, 2, 3, 4].map(async (at) => names(await store.meshAt(at)))), [
        "",
        "a",
        "a b",
        "b",
        "a b",
      ]);
      assert.deepEqual(
        await Promise.all([-1, 5, 1.5, Number.NaN].map((at) => store.meshAt(at))),
        Array(4).fill(undefined),
      );
    });

    it("deletes the oldest revisions beyond the limit, and keeps the others intact", async (t) => {
      const here = opened(t, { keepRevisions: 3 });
      await write(here.store, set(endpoints("old", 1)));
      for (let port = 1; port <= 6; port++) await write(here.store, set(endpoints("a", port)));
      const assertNewestThree = async (store: Store) => {
        assert.deepEqual(numbers(await store.revisions({ limit: 9 })), [7, 6, 5]);
        assert.equal(await store.revision(4), undefined);
        assert.equal(await store.meshAt(3), undefined);
        assert.deepEqual((await store.meshAt(4))?.get("Endpoints", "a"), endpoints("a", 3));
        assert.equal(store.revisionOf("Endpoints", "old"), 1);
        assert.deepEqual((await store.meshAt(4))?.get("Endpoints", "old"), endpoints("old", 1));
        assert.deepEqual((await store.revision(5))?.changes[0]?.before, endpoints("a", 3));
      };
      await assertNewestThree(here.store);
      await assertNewestThree(await here.reopen());
    });

    it("has the same content when it is opened again", async (t) => {
      const here = opened(t);
      await write(here.store, set(endpoints("a", 1), group("g")));
      await write(here.store, { set: [endpoints("b", 1)], delete: [key("a")] });
      const before = { state: here.store.get(), revisions: await here.store.revisions({ limit: 9 }) };
      const store = await here.reopen();
      assert.equal(store.get().revision, 2);
      assert.deepEqual(sorted(store.get().mesh), sorted(before.state.mesh));
      assert.deepEqual(await store.revisions({ limit: 9 }), before.revisions);
      assert.equal((await write(store, set(endpoints("c", 1))))?.revision, 3);
    });

    it("keeps the keys of a document in the order in which they were written", async (t) => {
      const here = opened(t);
      const filter = {
        kind: "Filter",
        name: "f",
        spec: { listeners: [], sha256: "0", config: { z: 1, a: { y: 2, b: 3 } } },
      };
      await write(here.store, set(filter as unknown as Document));
      assert.equal(JSON.stringify((await here.reopen()).get().mesh.get("Filter", "f")), JSON.stringify(filter));
    });

    it("keeps any name and any text unchanged", async (t) => {
      const here = opened(t);
      const odd = ["__proto__", "a/b", "O'Neil; DROP TABLE versions", "ü 🎈 \u0000", "toString"];
      await write(here.store, set(...odd.map((name) => endpoints(name, 1))));
      assert.deepEqual([...(await here.reopen()).get().mesh.all("Endpoints").keys()].sort(), [...odd].sort());
    });

    it("keeps notes beside the mesh", async (t) => {
      const here = opened(t);
      assert.equal(await here.store.note("files"), undefined);
      await here.store.setNote("files", "one");
      await here.store.setNote("files", "two");
      assert.equal(await (await here.reopen()).note("files"), "two");
      assert.equal(here.store.get().revision, 0);
    });

    it("finishes the commit under way before it closes, and rejects later requests", async (t) => {
      const here = opened(t);
      const { store } = here;
      const underWay = write(store, set(endpoints("a", 1)));
      await store.close();
      assert.equal((await underWay)?.revision, 1);
      for (const asked of [write(store, set(endpoints("a", 2))), store.revisions({ limit: 1 }), store.note("files")])
        await assert.rejects(asked, StoreClosed);
      assert.equal((await here.reopen()).get().revision, 1);
    });

    it("can be closed twice", async (t) => {
      const { store } = opened(t);
      await store.close();
      await store.close();
    });

    it("behaves as a plain list of meshes, for any sequence of writes and reopenings", async (t) => {
      await fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 1, max: 6 }),
          fc.array(step, { maxLength: 25 }),
          async (keepRevisions, steps) => {
            const here = opened(t, { keepRevisions });
            const model: Mesh[] = [Mesh.empty];
            for (const { change, reopen } of steps) {
              const before = model.at(-1) ?? Mesh.empty;
              const after = before.changed(change);
              const changed = JSON.stringify(sorted(before)) !== JSON.stringify(sorted(after));
              assert.equal((await write(here.store, change))?.revision, changed ? model.length : undefined);
              if (changed) model.push(after);
              if (reopen) await here.reopen();
            }
            const { store } = here;
            assert.deepEqual(sorted(store.get().mesh), sorted(model.at(-1)));
            const oldest = Math.max(0, model.length - 1 - keepRevisions);
            for (const [at, mesh] of model.entries()) {
              assert.deepEqual(sorted(await store.meshAt(at)), at < oldest ? undefined : sorted(mesh));
              const revision = await store.revision(at);
              assert.equal(revision === undefined, at <= oldest);
              if (revision !== undefined)
                assert.deepEqual(sorted(model[at - 1]?.changed(forwards(revision))), sorted(mesh));
            }
            await store.close();
          },
        ),
        { numRuns: 40 },
      );
    });
  });
}

/** Tests that a store passes when several processes may have it open at the same time. */
export function sharedStoreContract(place: (test: TestContext) => StorePlace): void {
  const both = (test: TestContext): readonly [Store, Store] => {
    const here = place(test);
    const open = () => {
      const store = here.open({ now: () => 1000, keepRevisions: 100 });
      test.after(() => store.close());
      return store;
    };
    return [open(), open()];
  };

  describe("a store that shares its data with other stores", () => {
    it("notifies watchers of their revisions and its own, in order", async (t) => {
      const [one, other] = both(t);
      const seen: unknown[] = [];
      other.watch(({ revision, mesh }) => seen.push([revision, names(mesh)]));
      await write(one, set(endpoints("a", 1)));
      await write(one, set(endpoints("b", 1)));
      await persistently(other, set(endpoints("c", 1)));
      assert.deepEqual(seen, [
        [1, "a"],
        [2, "a b"],
        [3, "a b c"],
      ]);
      assert.equal(other.revisionOf("Endpoints", "b"), 2);
      assert.deepEqual(await one.revisions({ limit: 9 }), await other.revisions({ limit: 9 }));
    });

    it("has their newer revision when it rejects a commit because of it", async (t) => {
      const [one, other] = both(t);
      const outcomes = await Promise.allSettled([
        write(one, set(endpoints("a", 1))),
        write(other, set(endpoints("b", 1))),
      ]);
      const [late, written] = outcomes[0]?.status === "fulfilled" ? [other, "a"] : [one, "b"];
      assert.deepEqual(outcomes.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
      assert.deepEqual([late.get().revision, names(late.get().mesh)], [1, written]);
    });

    it("ends with the same mesh as they do, in any order of writes", async (t) => {
      const stores = both(t);
      const writers = stores.flatMap((store, at) =>
        ["x", "y"].map(async (name) => {
          for (let port = 1; port <= 5; port++) await persistently(store, set(endpoints(`${name}${at}`, port)));
        }),
      );
      await Promise.all(writers);
      const [one, other] = stores;
      // A store may not have received the other's last revisions yet.
      for (const store of stores) await persistently(store, set(group(`seen by ${stores.indexOf(store)}`)));
      await persistently(one, set(group("end")));
      assert.deepEqual((await one.revisions({ limit: 99 })).length, 23);
      assert.deepEqual(sorted(await other.meshAt(23)), sorted(one.get().mesh));
    });
  });
}

/** Commits a change on the newest revision. */
export function write(store: Store, change: Change): Promise<Revision | undefined> {
  const { revision: expectedRevision, mesh } = store.get();
  return store.commit(mesh.edited(change), { author: "test", expectedRevision });
}

/** Commits a change, and tries again while other writers commit first. The change must have an effect. */
async function persistently(store: Store, change: Change): Promise<Revision> {
  for (;;) {
    try {
      return (await write(store, change)) ?? assert.fail("the change changed nothing");
    } catch (error) {
      if (!(error instanceof RevisionConflict)) throw error;
    }
  }
}

export function set(...documents: readonly Document[]): Change {
  return { set: documents, delete: [] };
}

export function endpoints(name: string, port: number): Document<"Endpoints"> {
  return { kind: "Endpoints", name, spec: { endpoints: [{ address: "127.0.0.1", port }] } };
}

function group(name: string): Document<"NodeGroup"> {
  return { kind: "NodeGroup", name, spec: { match: { ids: ["*"] } } };
}

function key(name: string): DocumentKey {
  return { kind: "Endpoints", name };
}

function forwards({ changes }: Revision): Change {
  return {
    set: changes.flatMap(({ after }) => after ?? []),
    delete: changes.filter(({ after }) => after === undefined),
  };
}

const name = fc.constantFrom("a", "b", "c");
const step = fc.record({
  reopen: fc.boolean(),
  change: fc.record({
    set: fc.array(
      fc.tuple(name, fc.integer({ min: 1, max: 2 })).map(([of, port]) => endpoints(of, port)),
      { maxLength: 3 },
    ),
    delete: fc.array(name.map(key), { maxLength: 2 }),
  }),
});

function numbers(revisions: readonly Revision[]): readonly number[] {
  return revisions.map(({ revision }) => revision);
}

function names(mesh: Mesh | undefined): string {
  return [...(mesh?.all("Endpoints").keys() ?? [])].sort().join(" ");
}

function sorted(mesh: Mesh | undefined): readonly Document[] | undefined {
  return mesh && [...mesh.documents()].sort((a, b) => (`${a.kind}/${a.name}` < `${b.kind}/${b.name}` ? -1 : 1));
}
