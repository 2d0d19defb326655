import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { stringify } from "yaml";
import { cart, mesh, shop, type TestAdmin, testAdmin } from "../admin/testing.ts";
import type { SyncState } from "../proxy-status/proxy-status.ts";
import { resourceType } from "../resources/resource-types.ts";
import { chancery, type RunOptions } from "./testing.ts";

const run = (admin: TestAdmin, args: readonly string[], options: RunOptions = {}) =>
  chancery(args, { ...options, env: { CHANCERY_ADMIN: admin.url, ...options.env } });
const applyMesh = (admin: TestAdmin) => admin.send("POST", "/api/v1/apply", { body: mesh });
const toV2 = { ...shop, spec: { hosts: ["*"], routes: [{ match: { prefix: "/" }, cluster: "cart-v2" }] } };
const routes = (state: SyncState) => [
  {
    typeUrl: resourceType("RDS").typeUrl,
    shortName: "RDS",
    state,
    resources: [
      {
        name: "edge",
        state,
        ...(state === "rejected"
          ? { rejection: { version: "1", reason: "bad \x1b[31mroute", suspects: 2, at: 1 } }
          : {}),
      },
    ],
  },
];

test("apply reads files, folders and standard input, and prints the change of each document", async () => {
  await using admin = await testAdmin();
  const folder = mkdtempSync(path.join(tmpdir(), "chancery-cli-"));
  mkdirSync(path.join(folder, "deep"));
  writeFileSync(path.join(folder, "deep", "cart.yaml"), stringify(cart));
  writeFileSync(path.join(folder, "notes.txt"), "not a document");
  writeFileSync(path.join(folder, "rest.json"), JSON.stringify(mesh.slice(1, 3)));
  const applied = await run(admin, ["apply", "-f", folder, "-f", "-", "-m", "the start"], {
    input: stringify(mesh[3]),
  });
  rmSync(folder, { recursive: true });
  assert.equal(applied.exitCode, 0, applied.stderr);
  assert.match(applied.stdout, /Cluster "cart" created[\s\S]*Listener "edge" created[\s\S]*Revision 1\./);
  const revision = await admin.store.revision(1);
  assert.deepEqual([revision?.message, revision?.changes.length], ["the start", 4]);
  const again = await run(admin, ["apply", "-f", "-", "-o", "json"], { input: stringify(cart) });
  assert.deepEqual(JSON.parse(again.stdout).unchanged, [{ kind: "Cluster", name: "cart" }]);
});

test("load shows the load that proxies report, by cluster or by endpoint of one cluster", async () => {
  await using admin = await testAdmin();
  const nothing = await run(admin, ["load"]);
  assert.match(nothing.stdout, /No load was reported.*load_stats_config/);
  const counts = { issued: 30, succeeded: 28, failed: 2, inProgress: 1 };
  const endpoints = [{ address: "10.0.0.1:80", counts, metrics: [] }];
  const locality = { region: "eu", zone: "a", subZone: "", priority: 1, counts, metrics: [], endpoints };
  admin.loads.opened("edge-1").report([{ cluster: "cart", intervalMs: 10_000, dropped: 4, localities: [locality] }]);
  const all = await run(admin, ["load"]);
  assert.match(all.stdout, /^cart +1 +3\.0 +1 +28 +2 +4$/m);
  const one = await run(admin, ["load", "cart", "--node", "edge-1"]);
  assert.match(one.stdout, /^ {2}eu\/a, priority 1 .*\n {4}10\.0\.0\.1:80 +3\.0 +1 +28 +2$/m);
  const json = JSON.parse((await run(admin, ["load", "-o", "json"])).stdout);
  assert.deepEqual([json.items[0].issued, json.omitted], [30, 0]);
});

test("apply prints the file, the line and the nearest name for a fault, changes nothing and ends with 1", async () => {
  await using admin = await testAdmin();
  await applyMesh(admin);
  const input = `# the shop\n${stringify({ ...toV2, spec: { hosts: ["*"], routes: [{ match: { prefix: "/" }, cluster: "card" }] } })}`;
  const rejected = await run(admin, ["apply", "-f", "-"], { input });
  assert.equal(rejected.exitCode, 1);
  assert.match(rejected.stderr, /stdin:2 Route "shop" spec\.routes\[0\]\.cluster[\s\S]*did you mean "cart"\?/);
  const misread = await run(admin, ["apply", "-f", "-"], { input: input.replace("hosts", "hostz") });
  assert.match(misread.stderr, /hostz[\s\S]*stdin:5/);
  assert.equal(admin.store.get().revision, 1);
});

test("apply says that a file does not exist, and names the kind of a document without a name", async () => {
  const missing = await chancery(["apply", "-f", "nofile.yaml"]);
  assert.deepEqual([missing.exitCode, missing.stderr], [1, "error: Cannot read nofile.yaml: it does not exist\n"]);
  const unnamed = await chancery(["apply", "-f", "-"], { input: "kind: Cluster\nspec: { eds: {} }\n" });
  assert.match(unnamed.stderr, /Cannot read an unnamed Cluster: name is needed.*\n {2}at stdin:1 Cluster name\n/);
});

test("apply waits for the proxies, and ends with 1 and the reason when one rejects the change", async () => {
  await using admin = await testAdmin();
  await applyMesh(admin);
  let state: SyncState = "synced";
  admin.connect("edge-1", () => routes(state));
  const good = await run(admin, ["apply", "-f", "-"], { input: stringify(toV2) });
  assert.equal(good.exitCode, 0, good.stderr);
  assert.match(good.stdout, /edge-1 +synced/);
  state = "rejected";
  const bad = await run(admin, ["apply", "-f", "-"], { input: stringify(shop) });
  assert.equal(bad.exitCode, 1);
  assert.match(bad.stdout, /edge-1 +rejected +RDS edge: bad +\[31mroute/);
  const unwaited = await run(admin, ["apply", "--no-wait", "-f", "-"], { input: stringify(toV2) });
  assert.equal(unwaited.exitCode, 0);
});

test("get lists documents, prints YAML that apply accepts, and knows singular and plural", async () => {
  await using admin = await testAdmin();
  await applyMesh(admin);
  assert.match((await run(admin, ["get"])).stdout, /KIND +NAME[\s\S]*Cluster +cart-v2[\s\S]*Route +shop/);
  const shown = await run(admin, ["get", "Route", "shop"]);
  const again = await run(admin, ["apply", "-f", "-"], { input: shown.stdout });
  assert.match(again.stdout, /Route "shop" unchanged/);
  assert.deepEqual(JSON.parse((await run(admin, ["get", "clusters", "cart", "-o", "json"])).stdout), cart);
  const unknown = await run(admin, ["get", "clusters", "cert"]);
  assert.equal(unknown.exitCode, 1);
  assert.match(unknown.stderr, /did you mean "cart"/);
});

test("delete deletes all or nothing", async () => {
  await using admin = await testAdmin();
  await applyMesh(admin);
  const mistyped = await run(admin, ["delete", "clusters", "cart-v2", "card"]);
  assert.equal(mistyped.exitCode, 1);
  assert.match(mistyped.stderr, /Cluster "card"[\s\S]*does not exist/);
  assert.equal(admin.store.get().revision, 1);
  const used = await run(admin, ["delete", "clusters", "cart"]);
  assert.match(used.stderr, /cart/);
  assert.equal(used.exitCode, 1);
  assert.equal((await run(admin, ["delete", "-f", "-"], { input: stringify(mesh[1]) })).exitCode, 0);
  assert.equal(admin.store.get().mesh.get("Cluster", "cart-v2"), undefined);
});

test("diff shows what apply would change, and what changed between revisions", async () => {
  await using admin = await testAdmin();
  await applyMesh(admin);
  admin.connect("edge-1", () => routes("synced"));
  const dry = await run(admin, ["diff", "-f", "-"], { input: stringify(toV2) });
  assert.equal(dry.exitCode, 0, dry.stderr);
  assert.match(dry.stdout, /Route "shop" changed[\s\S]* - {5}cluster: cart\n {2}\+ {5}cluster: cart-v2/);
  assert.match(dry.stdout, /"default" \(edge-1\): RDS edge changed/);
  assert.equal((await run(admin, ["diff", "--exit-code", "-f", "-"], { input: stringify(toV2) })).exitCode, 1);
  assert.equal((await run(admin, ["diff", "--exit-code", "-f", "-"], { input: stringify(shop) })).exitCode, 0);
  assert.match((await run(admin, ["diff", "0", "1"])).stdout, /Cluster "cart" created/);
});

test("status shows proxy, type, state and reason, without the control characters that a proxy sends", async () => {
  await using admin = await testAdmin();
  await applyMesh(admin);
  assert.match((await run(admin, ["status"])).stdout, /Revision 1, 0 proxies\. /);
  admin.connect("edge-1", () => routes("rejected"));
  const { stdout } = await run(admin, ["status"]);
  assert.match(
    stdout,
    /edge-1 +default +1\.40\.0 +RDS +rejected +1 +edge: bad +\[31mroute \(one of 2 rejected together; the reason names none/,
  );
  assert.ok(!stdout.includes("\x1b"));
  assert.equal(JSON.parse((await run(admin, ["status", "-o", "json"])).stdout).items[0].state, "rejected");
});

test("revisions lists author, changes and message; restore goes back to a revision", async () => {
  await using admin = await testAdmin();
  await applyMesh(admin);
  await run(admin, ["apply", "-f", "-", "-m", "to v2"], { input: stringify(toV2) });
  assert.match((await run(admin, ["revisions"])).stdout, /\n2 +\S+ +\S+ +Route "shop" changed +to v2\n1 /);
  const restored = await run(admin, ["restore", "1"]);
  assert.match(restored.stdout, /Route "shop" changed\nRevision 3\./);
  assert.deepEqual(admin.store.get().mesh.get("Route", "shop"), shop);
});

test("the exit code is 2 for wrong arguments and 3 for a server that cannot be reached", async () => {
  const usage = [
    ["apply"],
    ["get", "clutsers"],
    ["delete"],
    ["restore", "x"],
    ["apply", "--nope", "-f", "-"],
    ["diff"],
  ];
  for (const args of usage) assert.equal((await chancery(args)).exitCode, 2, args.join(" "));
  assert.match((await chancery(["get", "rout"])).stderr, /Did you mean "route"\?/);
  const unreachable = await chancery(["status", "--admin", "http://127.0.0.1:1"]);
  assert.equal(unreachable.exitCode, 3);
  assert.match(unreachable.stderr, /Cannot reach the admin API at http:\/\/127\.0\.0\.1:1[\s\S]*--admin/);
});

test("sends the token from CHANCERY_TOKEN or from a file, and reports a missing one", async () => {
  await using admin = await testAdmin({ token: "s3cret" });
  const folder = mkdtempSync(path.join(tmpdir(), "chancery-cli-"));
  const file = path.join(folder, "token");
  writeFileSync(file, "s3cret\n");
  assert.equal((await run(admin, ["status", "--token-file", file])).exitCode, 0);
  assert.equal((await run(admin, ["status"], { env: { CHANCERY_TOKEN: "s3cret" } })).exitCode, 0);
  const without = await run(admin, ["status"]);
  rmSync(folder, { recursive: true });
  assert.equal(without.exitCode, 1);
  assert.match(without.stderr, /bearer token[\s\S]*CHANCERY_TOKEN/);
});

test("every command has help with an example", async () => {
  const commands = [
    "apply",
    "get",
    "delete",
    "diff",
    "status",
    "revisions",
    "restore",
    "filter build",
    "filter push",
    "filter list",
  ];
  for (const command of commands) {
    const { exitCode, stdout } = await chancery([...command.split(" "), "--help"]);
    assert.equal(exitCode, 0, command);
    assert.match(stdout, /Examples?:\n {2}chancery /, command);
  }
});
