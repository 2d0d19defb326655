import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { buildFilter } from "@chancery/filter-sdk/build";
import { cacheFolder } from "@chancery/filter-sdk/build-cache";
import { mesh, type TestAdmin, testAdmin } from "../admin/testing.ts";
import type { SyncState } from "../proxy-status/proxy-status.ts";
import { resourceType } from "../resources/resource-types.ts";
import { chancery } from "./testing.ts";

const source = fileURLToPath(new URL("../../../filters/request-policy", import.meta.url));
const folder = mkdtempSync(path.join(tmpdir(), "chancery-push-"));
/** A good module, and another one that differs only in a custom section and stands for an edited filter. */
const [first, second] = ["first", "second"].map((name) => path.join(folder, name, "policy.wasm")) as [string, string];
const config = path.join(folder, "config.json");
const strict = path.join(folder, "strict.json");

before(async () => {
  const built = await buildFilter(source, { cache: cacheFolder() });
  assert.ok(built.ok, JSON.stringify(built));

  for (const file of [first, second]) mkdirSync(path.dirname(file));
  writeFileSync(first, built.wasm);
  writeFileSync(second, Buffer.concat([built.wasm, Buffer.from([0, 5, 4, 0x65, 0x64, 0x69, 0x74])]));
  writeFileSync(config, JSON.stringify({ default: { action: "allow" }, rules: [] }));
});
after(() => rmSync(folder, { recursive: true }));

const push = (admin: TestAdmin, ...args: readonly string[]) =>
  chancery(["filter", "push", ...args], { env: { CHANCERY_ADMIN: admin.url } });

const hasFuel = (admin: TestAdmin, sha256 = ""): boolean =>
  Buffer.from(admin.catalog.get().get(sha256)?.wasm ?? []).includes("out of fuel");

/** Connects a proxy that accepts every version of the filter, except those for which `rejects` returns true. */
function connect(admin: TestAdmin, rejects: (version: string) => boolean): void {
  admin.connect("edge-1", () => {
    const version = admin.versionOf("ECDS", "filter/policy");
    const state: SyncState = rejects(version) ? "rejected" : "synced";
    const rejection = state === "rejected" ? { rejection: { version, reason: "cannot load", at: 1 } } : {};
    const { typeUrl } = resourceType("ECDS");
    return [{ typeUrl, shortName: "ECDS", state, resources: [{ name: "filter/policy", state, ...rejection }] }];
  });
}

test("pushes a new filter, then a new version that keeps listeners and configuration", async () => {
  await using admin = await testAdmin();
  await admin.send("POST", "/api/v1/apply", { body: mesh });
  connect(admin, () => false);
  const pushed = await push(admin, first, "--to", "edge", "--config", config, "--failure", "closed");
  assert.equal(pushed.exitCode, 0, pushed.stderr + pushed.stdout);
  assert.match(pushed.stdout, /Filter "policy" created[\s\S]*edge-1 +synced/);
  const former = admin.store.get().mesh.get("Filter", "policy");
  assert.equal((await push(admin, second)).exitCode, 0);
  const current = admin.store.get().mesh.get("Filter", "policy");
  assert.notEqual(current?.spec.sha256, former?.spec.sha256);
  assert.ok(hasFuel(admin, former?.spec.sha256));
  assert.deepEqual({ ...current?.spec, sha256: "" }, { ...former?.spec, sha256: "" });
});

test("lists the running version and all others, and goes back to one with the configuration that it ran with", async () => {
  await using admin = await testAdmin();
  const run = async (...args: readonly string[]) => {
    const ran = await chancery(["filter", ...args], { env: { CHANCERY_ADMIN: admin.url } });
    assert.equal(ran.exitCode, 0, ran.stderr + ran.stdout);
    return ran.stdout;
  };
  await admin.send("POST", "/api/v1/apply", { body: mesh });
  await run("push", first, "--to", "edge", "--config", config, "--version", "1");
  const was = admin.store.get().mesh.get("Filter", "policy");
  writeFileSync(strict, JSON.stringify({ default: { action: "deny" }, rules: [] }));
  await run("push", second, "--config", strict, "--failure", "reload", "--no-fuel");
  const is = admin.store.get().mesh.get("Filter", "policy");
  assert.ok(!hasFuel(admin, is?.spec.sha256));
  assert.match(await run("list"), /\npolicy +0\.1\.0 +[0-9a-f]{12} +reload +edge/);
  const status = await chancery(["status"], { env: { CHANCERY_ADMIN: admin.url } });
  assert.match(status.stdout, /\npolicy +0\.1\.0 +[0-9a-f]{12} +reload +edge/);
  assert.match(await run("versions", "policy"), /policy +0\.1\.0 .* policy\npolicy +1 +[0-9a-f]{12} +\d+ +20/);
  assert.match(await run("rollback", "policy"), /Filter "policy" changed/);
  const back = admin.store.get().mesh.get("Filter", "policy");
  assert.deepEqual(back?.spec, { ...was?.spec, failure: "reload" });
  await run("rollback", "policy", "--to", "0.1.0");
  assert.deepEqual(admin.store.get().mesh.get("Filter", "policy"), is);
});

test("rejects other bytes for a version, and a rollback to a version that does not exist", async () => {
  await using admin = await testAdmin();
  await admin.send("POST", "/api/v1/apply", { body: mesh });
  await push(admin, first, "--to", "edge", "--config", config, "--version", "1");
  const other = await push(admin, second, "--version", "1");
  assert.equal(other.exitCode, 1);
  assert.match(other.stderr, /cannot be version 1: that version is another module.* \[FILTER_VERSION_TAKEN\]/);
  const rollback = (...args: readonly string[]) =>
    chancery(["filter", "rollback", "policy", ...args], { env: { CHANCERY_ADMIN: admin.url } });
  assert.match((await rollback()).stderr, /has run only one version \[FILTER_NO_FORMER_VERSION\]/);
  assert.match(
    (await rollback("--to", "2")).stderr,
    /has no version 2 \[FILTER_VERSION_UNKNOWN\][\s\S]*did you mean "1"/,
  );
});

test("restores the former version when a proxy rejects the new one, and prints the proxy and its reason", async () => {
  await using admin = await testAdmin();
  await admin.send("POST", "/api/v1/apply", { body: mesh });
  let good = "";
  connect(admin, (version) => good !== "" && version !== good);
  await push(admin, first, "--to", "edge", "--config", config);
  const former = admin.store.get().mesh.get("Filter", "policy");
  good = admin.versionOf("ECDS", "filter/policy");
  const rejected = await push(admin, second);
  assert.equal(rejected.exitCode, 1);
  assert.match(rejected.stderr, /Proxy "edge-1" rejected filter "policy": ECDS filter\/policy: cannot load/);
  assert.match(rejected.stderr, /back at version [0-9a-f]{12} \(revision 4\)/);
  assert.deepEqual(admin.store.get().mesh.get("Filter", "policy"), former);
});

test("removes a new filter when a proxy rejects it", async () => {
  await using admin = await testAdmin();
  await admin.send("POST", "/api/v1/apply", { body: mesh });
  connect(admin, (version) => version !== "none");
  const rejected = await push(admin, first, "--to", "edge", "--config", config);
  assert.equal(rejected.exitCode, 1);
  assert.match(rejected.stderr, /removed again/);
  assert.equal(admin.store.get().mesh.get("Filter", "policy"), undefined);
});

test("rejects a file that is not a module, and a configuration that the module rejects, before any proxy receives it", async () => {
  await using admin = await testAdmin();
  await admin.send("POST", "/api/v1/apply", { body: mesh });
  const garbage = path.join(folder, "garbage.wasm");
  writeFileSync(garbage, "not wasm");
  const rejected = await push(admin, garbage, "--to", "edge");
  assert.deepEqual([rejected.exitCode, admin.store.get().revision], [1, 1]);
  const bad = path.join(folder, "bad.json");
  writeFileSync(bad, JSON.stringify({ rules: "none" }));
  const misconfigured = await push(admin, first, "--to", "edge", "--config", bad);
  assert.equal(misconfigured.exitCode, 1);
  assert.match(misconfigured.stderr, /with this configuration: default: is required \[FILTER_CONFIG_INVALID\]/);
  assert.match(misconfigured.stderr, /at Filter "policy" spec\.config\.rules: "none"/);
  assert.equal(admin.store.get().revision, 1);
  assert.equal((await push(admin, first)).exitCode, 2);
  assert.equal((await push(admin, path.join(folder, "nowhere"))).exitCode, 1);
});
