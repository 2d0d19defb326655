import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import fc from "fast-check";
import type { Document, DocumentKey } from "../model/document.ts";
import { type Change, Mesh } from "../model/mesh.ts";
import { type Revision, RevisionConflict, type Store } from "./store.ts";

/** A place that stores can be opened on again and again; it is removed when the test ends. */
export interface StorePlace {
  open(options: { readonly now: () => number; readonly keepRevisions: number }): Store;
}

/** What every store does. */
export function storeContract(place: (test: TestContext) => StorePlace): void {
  const opened = (test: TestContext, { keepRevisions = 100 } = {}) => {
    const here = place(test);
    let time = 1000;
    let store = here.open({ now: () => ++time, keepRevisions });
    test.after(() => store.close());
    return {
      get store() {
        return store;
      },
      reopen: () => {
        store.close();
        store = here.open({ now: () => ++time, keepRevisions });
        return store;
      },
    };
  };

  describe("a store", () => {
    it("starts at revision 0 with nothing in it", (t) => {
      const { store } = opened(t);
      assert.equal(store.get().revision, 0);
      assert.deepEqual([...store.get().mesh.documents()], []);
      assert.deepEqual(store.revisions({ limit: 10 }), []);
      assert.equal(store.revision(0), undefined);
    });

    it("numbers writes from 1, with time, author, message and what changed", (t) => {
      const { store } = opened(t);
      const first = store.commit(set(endpoints("cart", 1)), { author: "ann", message: "why", expectedRevision: 0 });
      const expected: Revision = {
        revision: 1,
        time: 1001,
        author: "ann",
        message: "why",
        changes: [{ kind: "Endpoints", name: "cart", after: endpoints("cart", 1) }],
      };
      assert.deepEqual(first, expected);
      assert.deepEqual(store.revision(1), expected);
      assert.equal(write(store, set(endpoints("cart", 2)))?.revision, 2);
    });

    it("says before and after of each document, in order of kind and name", (t) => {
      const { store } = opened(t);
      write(store, set(endpoints("b", 1), endpoints("c", 1)));
      const change = { ...set(group("z"), endpoints("c", 2), endpoints("a", 1)), delete: [key("b")] };
      const revision = write(store, change);
      assert.deepEqual(revision?.changes, [
        { kind: "Endpoints", name: "a", after: endpoints("a", 1) },
        { kind: "Endpoints", name: "b", before: endpoints("b", 1) },
        { kind: "Endpoints", name: "c", before: endpoints("c", 1), after: endpoints("c", 2) },
        { kind: "NodeGroup", name: "z", after: group("z") },
      ]);
      assert.deepEqual(store.revision(2), revision);
    });

    it("makes no revision of a write that changes nothing, whatever the order of keys", (t) => {
      const { store } = opened(t);
      write(store, set(endpoints("cart", 1)));
      const { spec, name, kind } = endpoints("cart", 1);
      const otherOrder = {
        spec: { endpoints: spec.endpoints.map(({ address, port }) => ({ port, address })) },
        name,
        kind,
      };
      assert.equal(write(store, set(otherOrder as Document)), undefined);
      assert.equal(write(store, { set: [], delete: [key("absent")] }), undefined);
      assert.equal(write(store, { set: [endpoints("cart", 1)], delete: [key("cart")] }), undefined);
      assert.equal(store.get().revision, 1);
    });

    it("rejects a write on a revision that is not the newest, and changes nothing", (t) => {
      const { store } = opened(t);
      write(store, set(endpoints("cart", 1)));
      assert.throws(
        () => store.commit(set(endpoints("cart", 2)), { author: "ann", expectedRevision: 0 }),
        (error) => error instanceof RevisionConflict && error.expected === 0 && error.actual === 1,
      );
      assert.deepEqual(store.get().mesh.get("Endpoints", "cart"), endpoints("cart", 1));
    });

    it("keeps the same object for a document that did not change", (t) => {
      const { store } = opened(t);
      write(store, set(endpoints("a", 1), endpoints("b", 1), group("g")));
      const before = store.get().mesh;
      write(store, set(endpoints("a", 1), endpoints("b", 2)));
      const after = store.get().mesh;
      assert.equal(after.get("Endpoints", "a"), before.get("Endpoints", "a"));
      assert.equal(after.get("NodeGroup", "g"), before.get("NodeGroup", "g"));
      assert.equal(store.meshAt(1)?.get("Endpoints", "a"), before.get("Endpoints", "a"));
      assert.deepEqual(before.get("Endpoints", "b"), endpoints("b", 1));
    });

    it("tells watchers of each new revision, once it can be read", (t) => {
      const { store } = opened(t);
      const seen: unknown[] = [];
      const stop = store.watch(({ revision, mesh }) => {
        assert.equal(store.get().mesh, mesh);
        assert.equal(store.revision(revision)?.revision, revision);
        seen.push([revision, [...mesh.documents()].length]);
      });
      write(store, set(endpoints("a", 1)));
      write(store, set(endpoints("a", 1)));
      write(store, set(endpoints("b", 1)));
      stop();
      write(store, set(endpoints("c", 1)));
      assert.deepEqual(seen, [
        [1, 1],
        [2, 2],
      ]);
    });

    it("knows at which revision a document last changed", (t) => {
      const { store } = opened(t);
      write(store, set(endpoints("a", 1)));
      write(store, set(endpoints("b", 1)));
      write(store, set(endpoints("a", 2)));
      assert.deepEqual([store.revisionOf("Endpoints", "a"), store.revisionOf("Endpoints", "b")], [3, 2]);
      write(store, { set: [], delete: [key("a")] });
      assert.equal(store.revisionOf("Endpoints", "a"), undefined);
    });

    it("lists revisions newest first, page by page", (t) => {
      const { store } = opened(t);
      for (let port = 1; port <= 5; port++) write(store, set(endpoints("a", port)));
      assert.deepEqual(numbers(store.revisions({ limit: 2 })), [5, 4]);
      assert.deepEqual(numbers(store.revisions({ limit: 2, before: 4 })), [3, 2]);
      assert.deepEqual(numbers(store.revisions({ limit: 9, before: 2 })), [1]);
      assert.deepEqual(numbers(store.revisions({ limit: 0 })), []);
    });

    it("gives the mesh of any revision, and nothing for numbers that are none", (t) => {
      const { store } = opened(t);
      write(store, set(endpoints("a", 1)));
      write(store, set(endpoints("b", 1)));
      write(store, { set: [], delete: [key("a")] });
      write(store, set(endpoints("a", 1)));
      assert.deepEqual(
        [0, 1, 2, 3, 4].map((at) => names(store.meshAt(at))),
        ["", "a", "a b", "b", "a b"],
      );
      assert.deepEqual(
        [-1, 5, 1.5, Number.NaN].map((at) => store.meshAt(at)),
        Array(4).fill(undefined),
      );
    });

    it("forgets the oldest revisions beyond the limit, and keeps the rest right", (t) => {
      const here = opened(t, { keepRevisions: 3 });
      write(here.store, set(endpoints("old", 1)));
      for (let port = 1; port <= 6; port++) write(here.store, set(endpoints("a", port)));
      const assertNewestThree = (store: Store) => {
        assert.deepEqual(numbers(store.revisions({ limit: 9 })), [7, 6, 5]);
        assert.equal(store.revision(4), undefined);
        assert.equal(store.meshAt(3), undefined);
        assert.deepEqual(store.meshAt(4)?.get("Endpoints", "a"), endpoints("a", 3));
        assert.equal(store.revisionOf("Endpoints", "old"), 1);
        assert.deepEqual(store.meshAt(4)?.get("Endpoints", "old"), endpoints("old", 1));
        assert.deepEqual(store.revision(5)?.changes[0]?.before, endpoints("a", 3));
      };
      assertNewestThree(here.store);
      assertNewestThree(here.reopen());
    });

    it("is the same after it was opened again", (t) => {
      const here = opened(t);
      write(here.store, set(endpoints("a", 1), group("g")));
      write(here.store, { set: [endpoints("b", 1)], delete: [key("a")] });
      const before = { state: here.store.get(), revisions: here.store.revisions({ limit: 9 }) };
      const store = here.reopen();
      assert.equal(store.get().revision, 2);
      assert.deepEqual(sorted(store.get().mesh), sorted(before.state.mesh));
      assert.deepEqual(store.revisions({ limit: 9 }), before.revisions);
      assert.equal(write(store, set(endpoints("c", 1)))?.revision, 3);
    });

    it("keeps the keys of a document in the order in which they were written", (t) => {
      const here = opened(t);
      const filter = {
        kind: "Filter",
        name: "f",
        spec: { listeners: [], sha256: "0", config: { z: 1, a: { y: 2, b: 3 } } },
      };
      write(here.store, set(filter as unknown as Document));
      assert.equal(JSON.stringify(here.reopen().get().mesh.get("Filter", "f")), JSON.stringify(filter));
    });

    it("takes any name and any text as it is", (t) => {
      const here = opened(t);
      const odd = ["__proto__", "a/b", "O'Neil; DROP TABLE versions", "ü 🎈 \u0000", "toString"];
      write(here.store, set(...odd.map((name) => endpoints(name, 1))));
      assert.deepEqual([...here.reopen().get().mesh.all("Endpoints").keys()].sort(), [...odd].sort());
    });

    it("keeps notes beside the mesh", (t) => {
      const here = opened(t);
      assert.equal(here.store.note("files"), undefined);
      here.store.setNote("files", "one");
      here.store.setNote("files", "two");
      assert.equal(here.reopen().note("files"), "two");
      assert.equal(here.store.get().revision, 0);
    });

    it("closes twice without complaint", (t) => {
      const { store } = opened(t);
      store.close();
      store.close();
    });

    it("does what a plain list of meshes would do, over any sequence of writes and reopenings", (t) => {
      fc.assert(
        fc.property(fc.integer({ min: 1, max: 6 }), fc.array(step, { maxLength: 25 }), (keepRevisions, steps) => {
          const here = opened(t, { keepRevisions });
          const model: Mesh[] = [Mesh.empty];
          for (const { change, reopen } of steps) {
            const before = model.at(-1) ?? Mesh.empty;
            const after = before.changed(change);
            const changed = JSON.stringify(sorted(before)) !== JSON.stringify(sorted(after));
            assert.equal(write(here.store, change)?.revision, changed ? model.length : undefined);
            if (changed) model.push(after);
            if (reopen) here.reopen();
          }
          const { store } = here;
          assert.deepEqual(sorted(store.get().mesh), sorted(model.at(-1)));
          const oldest = Math.max(0, model.length - 1 - keepRevisions);
          for (const [at, mesh] of model.entries()) {
            assert.deepEqual(sorted(store.meshAt(at)), at < oldest ? undefined : sorted(mesh));
            const revision = store.revision(at);
            assert.equal(revision === undefined, at <= oldest);
            if (revision !== undefined)
              assert.deepEqual(sorted(model[at - 1]?.changed(forwards(revision))), sorted(mesh));
          }
          store.close();
        }),
        { numRuns: 40 },
      );
    });
  });
}

/** Writes on the newest revision. */
export function write(store: Store, change: Change): Revision | undefined {
  return store.commit(change, { author: "test", expectedRevision: store.get().revision });
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
