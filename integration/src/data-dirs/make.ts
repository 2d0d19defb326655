import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import type * as library from "@chancery/xds-server";
import { stringify } from "yaml";
import { checkout, serve } from "../harness/server-process.ts";
import { contentsOf, servedBy } from "./contents.ts";
import { configFile, firstWrites, furtherWrites, type Write } from "./writes.ts";

/**
 * Makes a data directory with the build in another checkout, and records what that build reads and serves from it. See
 * testdata/data-dirs/README.md.
 *
 *     CHANCERY_CHECKOUT=../chancery-10a2934 node integration/dist/data-dirs/make.js --out integration/testdata/data-dirs/10a2934
 */
const { out } = parseArgs({ options: { out: { type: "string" } } }).values;
assert.ok(out, "give --out");

// Messages of revisions contain the paths of files as given. The server runs in the folder, so that they are short.
const cwd = mkdtempSync(join(tmpdir(), "chancery-data-dir-"));
writeFileSync(join(cwd, "mesh.yaml"), stringify(configFile));

const first = await serve({ cwd, dataDir: "data", args: ["--config", "mesh.yaml"] });
for (const write of firstWrites) await make(write, first.admin);
await first.stop();
const second = await serve({ cwd, dataDir: "data" });
for (const write of furtherWrites) await make(write, second.admin);
const served = await servedBy(second.xds);
await second.stop();

const { openSqliteStore } = (await import(
  pathToFileURL(join(checkout, "xds-server/dist/index.js")).href
)) as typeof library;
const store = openSqliteStore({ directory: join(cwd, "data"), now: Date.now, keepRevisions: 1_000 });
const contents = await contentsOf(store);
await store.close();

mkdirSync(out, { recursive: true });
for (const [name, value] of Object.entries({ contents, served }))
  writeFileSync(join(out, `${name}.json`), `${JSON.stringify(value, undefined, 2)}\n`);
cpSync(join(cwd, "data"), join(out, "data"), { recursive: true });
rmSync(cwd, { recursive: true });

async function make({ method, path, headers = {}, body, wasm }: Write, admin: string): Promise<void> {
  const content = wasm ?? (body === undefined ? undefined : JSON.stringify(body));
  const type = wasm === undefined ? "application/json" : "application/wasm";
  const answer = await fetch(`http://${admin}${path}`, {
    method,
    headers: { ...(content === undefined ? {} : { "content-type": type }), ...headers },
    ...(content === undefined ? {} : { body: content }),
  });
  assert.ok(answer.ok, `${method} ${path}: ${await answer.text()}`);
}
