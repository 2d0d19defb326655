import assert from "node:assert/strict";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { Mesh, openSqliteStore, type Revision, type Store } from "@chancery/xds-server";
import { contentsOf, type StoreContents, servedFrom } from "./contents.ts";

// Each folder has a data directory that one build wrote, and what that build read and served from it. UPDATE_GOLDEN=1
// rewrites only served.json.
const fixtures = fileURLToPath(new URL("../../testdata/data-dirs/", import.meta.url));
const { UPDATE_GOLDEN } = process.env;

for (const name of readdirSync(fixtures)) {
  const fixture = join(fixtures, name);
  if (!existsSync(join(fixture, "data"))) continue;
  describe(`the data directory that ${name} wrote`, () => {
    it("opens with the same documents, revisions and notes", async (t) => {
      const store = opened(copied(t, fixture));
      t.after(() => store.close());
      const expected = json(fixture, "contents.json") as StoreContents;
      assert.deepEqual(await contentsOf(store), expected);
      await assertMeshes(store, expected.revisions);
    });

    it("is served to every node group with the same bytes and versions", async (t) => {
      const served = await servedFrom(copied(t, fixture));
      if (UPDATE_GOLDEN === "1")
        writeFileSync(join(fixture, "served.json"), `${JSON.stringify(served, undefined, 2)}\n`);
      assert.deepEqual(served, json(fixture, "served.json"));
    });
  });
}

/** Checks that the mesh at each revision is the mesh before it with the changes of the revision. */
async function assertMeshes(store: Store, revisions: readonly Revision[]): Promise<void> {
  let mesh = Mesh.empty;
  for (const { revision, changes } of revisions) {
    mesh = mesh.changed({
      set: changes.flatMap(({ after }) => after ?? []),
      delete: changes.filter(({ after }) => after === undefined),
    });
    const kept = await store.meshAt(revision);
    assert.deepEqual(sorted(kept), sorted(mesh), `at revision ${revision}`);
  }
}

function sorted(mesh: Mesh | undefined): readonly string[] {
  return [...(mesh?.documents() ?? [])].map((document) => JSON.stringify(document)).sort();
}

/** Copies a data directory, because a store writes to it when it is opened. */
function copied(t: TestContext, fixture: string): string {
  const folder = mkdtempSync(join(tmpdir(), "chancery-data-dir-"));
  t.after(() => rmSync(folder, { recursive: true }));
  cpSync(join(fixture, "data"), folder, { recursive: true });
  return folder;
}

function opened(directory: string): Store {
  return openSqliteStore({ directory, now: Date.now, keepRevisions: 1_000 });
}

function json(fixture: string, file: string): unknown {
  return JSON.parse(readFileSync(join(fixture, file), "utf8"));
}
