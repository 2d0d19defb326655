import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { status } from "@grpc/grpc-js";
import { SotwStream } from "../services/testing.ts";
import { MemoryDatabase, openMemoryStore } from "../store/memory-store.ts";
import { openSqliteStore } from "../store/sqlite-store.ts";
import { startApp } from "./app.ts";
import { formatHostPort } from "./config.ts";

const port0 = { host: "127.0.0.1", port: 0 };
const node = { id: "edge-1" };

test("a stored mesh that does not compile ends streams with UNAVAILABLE, until the admin API repairs it", async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), "chancery-app-"));
  t.after(() => rmSync(dataDir, { recursive: true }));
  const store = openSqliteStore({ directory: dataDir, now: Date.now, keepRevisions: 10 });
  const routes = [{ match: { prefix: "/" }, cluster: "cart" }];
  const orphan = { kind: "Route", name: "shop", spec: { hosts: ["*"], routes } } as const;
  const edit = store.get().mesh.edited({ set: [orphan], delete: [] });
  await store.commit(edit, { author: "test", expectedRevision: 0 });
  await store.close();
  const app = await startApp({ xdsListen: port0, adminListen: port0, dataDir, config: [], logLevel: "silent" });
  t.after(() => app.close());
  const admin = `http://${formatHostPort(app.admin)}`;

  const early = new SotwStream(formatHostPort(app.xds));
  t.after(() => early.close());
  early.ask("CDS", { node });
  assert.equal((await early.ended).code, status.UNAVAILABLE);
  const notReady = await fetch(`${admin}/readyz`);
  assert.equal(notReady.status, 503);
  assert.match(await notReady.text(), /"Not ready: no snapshot is published yet"/);

  const written = await fetch(`${admin}/api/v1/clusters/cart`, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ kind: "Cluster", name: "cart", spec: { endpoints: [{ address: "127.0.0.1", port: 1 }] } }),
  });
  assert.equal(written.status, 201, await written.text());
  for (const deadline = Date.now() + 5000; (await fetch(`${admin}/readyz`)).status !== 200; )
    assert.ok(Date.now() < deadline, "not ready");
  const stream = new SotwStream(formatHostPort(app.xds));
  t.after(() => stream.close());
  stream.ask("CDS", { node });
  assert.equal((await stream.next()).resources.length, 1);
});

test("servers that share a slow store serve each other's writes", async (t) => {
  const database = new MemoryDatabase();
  const servers = await Promise.all([sharing(t, database), sharing(t, database)]);
  const [one, other] = servers;
  const created = await Promise.all(
    servers.flatMap(({ put }, at) => ["a", "b", "c"].map((name) => put(`clusters/${name}${at}`, { eds: {} }))),
  );
  assert.deepEqual(
    created.map(({ status }) => status),
    Array(6).fill(201),
  );
  assert.equal(database.head, 6);
  const stream = new SotwStream(formatHostPort(other.app.xds));
  t.after(() => stream.close());
  const received = async (count: number) => {
    for (;;) {
      const { resources, versionInfo, nonce } = await stream.next();
      stream.ask("CDS", { versionInfo, responseNonce: nonce });
      if (resources.length === count) return;
    }
  };
  stream.ask("CDS", { node });
  await received(6);
  assert.equal((await one.put("clusters/d", { eds: {} })).status, 201);
  await received(7);
  const restored = await fetch(`${other.admin}/api/v1/revisions/1/restore`, { method: "POST" });
  assert.equal(((await restored.json()) as { readonly changes: unknown[] }).changes.length, 6);
});

/** A server on a memory store whose database other servers share. */
async function sharing(t: TestContext, database: MemoryDatabase) {
  const dataDir = mkdtempSync(join(tmpdir(), "chancery-app-"));
  const store = openMemoryStore({ database, now: Date.now, keepRevisions: 10, latency: () => nextTurn() });
  const app = await startApp({ xdsListen: port0, adminListen: port0, dataDir, config: [], logLevel: "silent", store });
  t.after(async () => {
    await app.close();
    await store.close();
    rmSync(dataDir, { recursive: true });
  });
  const admin = `http://${formatHostPort(app.admin)}`;
  const put = (path: string, spec: object) =>
    fetch(`${admin}/api/v1/${path}`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ spec }),
    });
  return { app, admin, put };
}
