import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { it } from "node:test";
import { fileURLToPath } from "node:url";
import { type Mesh, openSqliteStore } from "@chancery/xds-server";
import { keepRevisions, meshAfter } from "./store-crash-history.ts";

const rounds = 20;

it("keeps every acknowledged revision of a writer that is killed at any moment", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "chancery-crash-"));
  t.after(() => rmSync(directory, { recursive: true }));
  let written = 0;
  for (let round = 0; round < rounds; round++) {
    const killAfter = 1 + Math.floor(Math.random() * 120);
    const acknowledged = await acknowledgedUntilKilled(directory, killAfter);
    const what = `round ${round}, killed after ${killAfter} revisions, ${acknowledged} acknowledged`;
    // Opening checks the chain of all revisions.
    const store = openSqliteStore({ directory, now: Date.now, keepRevisions });
    const { revision, mesh } = store.get();
    // The last revision may be on the disk although its line was not read.
    assert.ok(revision === acknowledged || revision === acknowledged + 1, `${what}: the store is at ${revision}`);
    assert.ok(revision > written, what);
    assert.deepEqual(byName(mesh), meshAfter(revision), what);
    const kept = await store.revisions({ limit: 1000 });
    assert.equal(kept.length, Math.min(revision, keepRevisions), what);
    for (const { revision: at } of kept)
      assert.deepEqual(byName(await store.meshAt(at)), meshAfter(at), `${what}: at ${at}`);
    await store.close();
    written = revision;
  }
});

/** Kills a writer after some revisions. Returns the last revision that it acknowledged. */
async function acknowledgedUntilKilled(directory: string, revisions: number): Promise<number> {
  const script = fileURLToPath(new URL("./store-crash-writer.js", import.meta.url));
  const writer = spawn(process.execPath, [script, directory], { stdio: ["ignore", "pipe", "inherit"] });
  const closed = once(writer, "close");
  let seen = 0;
  let last = 0;
  for await (const line of createInterface(writer.stdout)) {
    last = Number(line);
    seen++;
    if (seen === revisions) writer.kill("SIGKILL");
  }
  const [code, signal] = await closed;
  assert.equal(signal, "SIGKILL", `the writer ended by itself with ${code}`);
  return last;
}

function byName(mesh: Mesh | undefined): ReadonlyMap<string, unknown> {
  return new Map(mesh?.all("Endpoints"));
}
