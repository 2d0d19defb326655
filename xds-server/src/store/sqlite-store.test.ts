import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, it, type TestContext } from "node:test";
import { openSqliteStore } from "./sqlite-store.ts";
import { endpoints, set, storeContract, write } from "./store.contract.ts";
import type { Store } from "./store.ts";
import { StoreUnusable } from "./store-unusable.ts";

storeContract((test) => {
  const directory = folder(test);
  return { open: (options) => openSqliteStore({ directory, ...options }) };
});

describe("the files of the embedded store", () => {
  it("are readable by their owner only, as is their folder", async (t) => {
    const directory = join(folder(t), "deep", "data");
    await opened(t, directory).setNote("a", "b");
    assert.equal(statSync(directory).mode & 0o777, 0o700);
    const modes = readdirSync(directory).map((file) => [file, statSync(join(directory, file)).mode & 0o777]);
    assert.deepEqual(
      modes,
      ["chancery.db", "chancery.db-wal", "chancery.head"].map((file) => [file, 0o600]),
    );
  });

  it("can be opened by one store at a time, in this process or another", async (t) => {
    const directory = folder(t);
    const path = join(directory, "chancery.db");
    const store = opened(t, directory);
    const isLocked = (error: unknown) => codeOf(error) === "STORE_LOCKED" && String(error).includes(path);
    assert.throws(() => open(directory), isLocked);
    const module = new URL(`./sqlite-store${extname(import.meta.filename)}`, import.meta.url).href;
    const script = `import { openSqliteStore } from ${JSON.stringify(module)};
      try { openSqliteStore({ directory: ${JSON.stringify(directory)}, now: Date.now, keepRevisions: 9 }) } catch (error) { console.log(error.problems[0].code) }`;
    const elsewhere = () => execFileSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
    assert.equal(elsewhere(), "STORE_LOCKED\n");
    await write(store, set(endpoints("a", 1)));
    await store.close();
    assert.equal(elsewhere(), "");
    assert.equal(opened(t, directory).get().revision, 1);
  });

  it("grow by the size of a change, not by the size of the mesh", async (t) => {
    const directory = folder(t);
    const store = opened(t, directory);
    await write(store, set(...Array.from({ length: 1000 }, (_, i) => endpoints(`c${i}`, 1))));
    await store.close();
    const before = statSync(join(directory, "chancery.db")).size;
    const again = opened(t, directory);
    for (let port = 2; port <= 51; port++) await write(again, set(endpoints("c0", port)));
    await again.close();
    assert.ok(statSync(join(directory, "chancery.db")).size < before + 50 * 1000);
  });

  it("are rejected when a newer version or another program wrote them", async (t) => {
    const directory = await written(t);
    edit(directory, "PRAGMA user_version = 9");
    assert.throws(
      () => open(directory),
      (error) => codeOf(error) === "STORE_TOO_NEW" && /version 9/.test(String(error)),
    );
    edit(directory, "PRAGMA user_version = 1; PRAGMA application_id = 5");
    assert.throws(
      () => open(directory),
      (error) => codeOf(error) === "STORE_CORRUPT" && /another program/.test(String(error)),
    );
  });

  it("are rejected with the reason when they cannot be created", async (t) => {
    const directory = folder(t);
    writeFileSync(join(directory, "file"), "");
    assert.throws(
      () => open(join(directory, "file", "data")),
      (error) => codeOf(error) === "STORE_INACCESSIBLE",
    );
  });
});

describe("a damaged store", () => {
  const edits: readonly [what: string, sql: string, good: number | undefined][] = [
    ["an author was changed", "UPDATE revisions SET author = 'eve' WHERE revision = 4", 3],
    ["a revision is missing", "DELETE FROM revisions WHERE revision = 3", 2],
    ["a document was changed", `UPDATE contents SET json = replace(json, '"port":3', '"port":33')`, 2],
    ["a document is missing", "DELETE FROM contents WHERE json LIKE '%\"port\":4%'", 3],
    ["a version is missing", "DELETE FROM versions WHERE since = 2", 1],
    ["a deletion was undone", "UPDATE versions SET until = NULL WHERE until = 5", 4],
    ["a version was moved", "UPDATE versions SET since = 1 WHERE since = 2", 0],
    ["a version ends before it begins", "UPDATE versions SET until = since WHERE since = 3", 2],
    ["the last revision is missing, its documents are not", "DELETE FROM revisions WHERE revision = 5", 4],
    ["no revision is left", "DELETE FROM revisions", undefined],
    ["a note was changed", "UPDATE notes SET value = 'x'", 5],
  ];
  for (const [what, sql, good] of edits)
    it(`is rejected with the last good revision: ${what}`, async (t) => {
      const directory = await written(t);
      edit(directory, sql);
      await assertCorrupt(directory, good);
    });

  it("reports that its last revision is lost, and continues from the one before when the operator deletes the note", async (t) => {
    const directory = await written(t);
    edit(
      directory,
      "DELETE FROM revisions WHERE revision = 5; DELETE FROM versions WHERE since = 5; UPDATE versions SET until = NULL WHERE until = 5",
    );
    const error = await assertCorrupt(directory, 4);
    assert.match(error.message, /ends at revision 4, but revision 5 was acknowledged/);
    assert.match(hintOf(error), /delete \S+chancery\.head to continue from revision 4/);
    rmSync(join(directory, "chancery.head"));
    assert.equal(opened(t, directory).get().revision, 4);
  });

  it("reports that its last revision is not the one that was written in this folder", async (t) => {
    const [directory, other] = [await written(t), await written(t, "other")];
    cpSync(join(other, "chancery.db"), join(directory, "chancery.db"));
    assert.match((await assertCorrupt(directory, 5)).message, /revision 5 is not the one that was acknowledged/);
  });

  it("gives a statement that exports the last good revision", async (t) => {
    const directory = await written(t);
    edit(directory, "UPDATE revisions SET author = 'eve' WHERE revision = 4");
    const [, sql] = /"(SELECT .*?)"/.exec(hintOf(await assertCorrupt(directory, 3))) ?? [];
    const database = new DatabaseSync(join(directory, "chancery.db"));
    const rows = database
      .prepare(sql ?? "")
      .all()
      .map((row) => Object.values(row)[0]);
    database.close();
    assert.deepEqual(rows.sort(), [
      `---\n${JSON.stringify(endpoints("a", 3))}`,
      `---\n${JSON.stringify(endpoints("b", 1))}`,
    ]);
  });

  it("opens with its whole content or is rejected, with any byte of the database flipped", async (t) => {
    const directory = await written(t);
    const bytes = readFileSync(join(directory, "chancery.db"));
    for (let at = 0; at < bytes.length; at += 97) {
      const damaged = Buffer.from(bytes);
      damaged[at] = (damaged[at] ?? 0) ^ 0x41;
      writeFileSync(join(directory, "chancery.db"), damaged);
      await assertWholeOrRejected(directory, `byte ${at} flipped`);
    }
  });

  it("opens with its whole content or is rejected, wherever the database is cut", async (t) => {
    const directory = await written(t);
    const bytes = readFileSync(join(directory, "chancery.db"));
    for (let size = 0; size < bytes.length; size += 1024 - 7) {
      writeFileSync(join(directory, "chancery.db"), bytes.subarray(0, size));
      await assertWholeOrRejected(directory, `cut to ${size}`);
    }
  });

  for (const [what, damage] of [
    ["cut", (path: string, at: number) => truncateSync(path, at)],
    ["flipped", flip],
  ] as const)
    it(`opens with every acknowledged revision or is rejected, wherever the log of a killed process is ${what}`, async (t) => {
      const directory = await written(t, "test", { close: false });
      const wal = statSync(join(directory, "chancery.db-wal")).size;
      for (let at = 0; at < wal; at += 1024 - 7) {
        const image = folder(t);
        cpSync(directory, image, { recursive: true });
        damage(join(image, "chancery.db-wal"), at);
        await assertWholeOrRejected(image, `log ${what} at ${at}`);
      }
    });
});

/** A folder with a store of five revisions. They set a to port 1, b to 1, a to 3 and a to 4, and delete b. */
async function written(t: TestContext, author = "test", { close = true } = {}): Promise<string> {
  const directory = folder(t);
  const store = opened(t, directory);
  await store.setNote("files", "as they were");
  const changes = [set(endpoints("a", 1)), set(endpoints("b", 1)), set(endpoints("a", 3)), set(endpoints("a", 4))];
  for (const change of [...changes, { set: [], delete: [{ kind: "Endpoints", name: "b" } as const] }])
    await store.commit(store.get().mesh.edited(change), { author, expectedRevision: store.get().revision });
  if (close) await store.close();
  return directory;
}

async function assertWholeOrRejected(directory: string, what: string): Promise<void> {
  let store: Store;
  try {
    store = open(directory);
  } catch (error) {
    assert.equal(codeOf(error), "STORE_CORRUPT", `${what}: ${error}`);
    return;
  }
  const { revision, mesh } = store.get();
  const found = { revision, documents: [...mesh.documents()], note: await store.note("files") };
  await store.close();
  assert.deepEqual(found, { revision: 5, documents: [endpoints("a", 4)], note: "as they were" }, what);
}

async function assertCorrupt(directory: string, good: number | undefined): Promise<StoreUnusable> {
  try {
    await open(directory).close();
  } catch (error) {
    assert.ok(error instanceof StoreUnusable, String(error));
    assert.equal(codeOf(error), "STORE_CORRUPT");
    assert.equal(error.lastGoodRevision, good, error.message);
    assert.match(error.message, new RegExp(`^Cannot open the store ${directory}/chancery\\.db: `));
    assert.notEqual(hintOf(error), "");
    return error;
  }
  assert.fail("the store was opened");
}

const codeOf = (error: unknown) => (error instanceof StoreUnusable ? error.problems[0]?.code : undefined);

const hintOf = ({ problems }: StoreUnusable) => problems[0]?.hint ?? "";

function edit(directory: string, sql: string): void {
  const database = new DatabaseSync(join(directory, "chancery.db"), { enableDoubleQuotedStringLiterals: false });
  database.exec(sql);
  database.close();
}

function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at] = (bytes[at] ?? 0) ^ 0x41;
  writeFileSync(path, bytes);
}

function open(directory: string): Store {
  return openSqliteStore({ directory, now: Date.now, keepRevisions: 100 });
}

function opened(t: TestContext, directory: string): Store {
  const store = open(directory);
  t.after(() => store.close());
  return store;
}

function folder(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), "chancery-store-"));
  t.after(() => rmSync(directory, { recursive: true }));
  return directory;
}
