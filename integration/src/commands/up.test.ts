import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { findEnvoy } from "@chancery/xds-server/envoy";
import { eventually } from "../harness/eventually.ts";
import { freePort } from "../harness/free-port.ts";
import { chanceryBin, repository } from "../harness/server-process.ts";

const shopService = path.join(repository, "envoy-configs/shop-services/dist/main.js");
const limitMs = 60_000;

process.env["CHANCERY_ENVOY"] = (await findEnvoy()).path;

for (const variant of ["delta", "sotw"] as const) {
  test(`starts a mesh that answers through Envoy (${variant}), and stops all of it on Ctrl-C`, async (t) => {
    const ports = { cart: await freePort(), edge: await freePort() };
    const up = await start(t, { documents: shop(ports), args: ["--variant", variant, ...cartOn(ports.cart)] });
    const text = await up.printed(/Ctrl-C ends everything/);
    assert.match(text, new RegExp(`listener shop-edge +127\\.0\\.0\\.1:${ports.edge}`));

    const answer = await fetch(`http://127.0.0.1:${ports.edge}/cart`);
    assert.equal(answer.status, 200);
    assert.equal(((await answer.json()) as { service: string }).service, "cart");

    const admin = /admin API +(http:\S+)/.exec(text)?.[1];
    assert.equal((await fetch(`${admin}/readyz`)).status, 200);

    // Below npm and a terminal, a program can get the signal of one key press several times.
    for (let i = 0; i < 3; i++) up.child.kill("SIGINT");
    assert.deepEqual(await up.ended, [0, null]);
    for (const port of [ports.edge, ports.cart, Number(new URL(admin ?? "").port)]) assert.ok(await isFree(port));
  });
}

test("reports a listener's port in use, which Envoy would share, and leaves nothing running", async (t) => {
  const ports = { cart: await freePort(), edge: await freePort() };
  const other = createServer().listen(ports.edge, "127.0.0.1");
  t.after(() => other.close());
  const up = await start(t, { documents: shop(ports), args: cartOn(ports.cart) });
  assert.deepEqual(await up.ended, [1, null]);
  assert.match(up.text(), new RegExp(`error: Port ${ports.edge} .* in use, and the listener "shop-edge" needs it`));
  assert.ok(await isFree(ports.cart));
});

test("reports a port in use of the admin API, with the flag that changes it", async (t) => {
  const other = createServer().listen(0, "127.0.0.1");
  t.after(() => other.close());
  await once(other, "listening");
  const { port } = other.address() as AddressInfo;
  const up = await start(t, { documents: "", args: ["--admin-listen", `127.0.0.1:${port}`] });
  assert.deepEqual(await up.ended, [1, null]);
  assert.match(up.text(), new RegExp(`error: Port ${port} .*--admin-listen HOST:PORT\n$`));
});

test("reports a companion that ends by itself, with its last lines, and stops the rest", async (t) => {
  const ports = { cart: await freePort(), edge: await freePort() };
  const flag = path.join(await temporaryFolder(t), "end");
  const command = `while [ ! -e "${flag}" ]; do sleep 0.02; done; echo out of wax; exit 3`;
  const up = await start(t, { documents: shop(ports), args: [...cartOn(ports.cart), "--run", command] });
  await up.printed(/Ctrl-C ends everything/);
  await writeFile(flag, "");
  assert.deepEqual(await up.ended, [1, null]);
  assert.match(up.text(), /ended by itself \(code 3\); its last lines:\n {2}out of wax\n$/);
  assert.ok((await isFree(ports.edge)) && (await isFree(ports.cart)));
});

test("stops the rest when Envoy ends by itself", async (t) => {
  const ports = { cart: await freePort(), edge: await freePort() };
  const up = await start(t, { documents: shop(ports), args: cartOn(ports.cart) });
  const admin = /Envoy's admin +(http:\S+)/.exec(await up.printed(/Ctrl-C ends everything/))?.[1];
  await fetch(`${admin}/quitquitquit`, { method: "POST" });
  assert.deepEqual(await up.ended, [1, null]);
  assert.match(up.text(), /error: Envoy ended by itself \(code 0\)/);
  assert.ok(await isFree(ports.cart));
});

test("rejects an Envoy that is too old, in one sentence", async (t) => {
  const old = path.join(await temporaryFolder(t), "envoy");
  await writeFile(old, '#!/bin/sh\necho "envoy  version: abc/1.20.0/Clean/RELEASE/BoringSSL"\n', { mode: 0o755 });
  const up = await start(t, { documents: "", args: [], env: { CHANCERY_ENVOY: old } });
  assert.deepEqual(await up.ended, [1, null]);
  assert.match(up.text(), /^error: Cannot use ".*: it is version 1\.20\.0, and Chancery needs 1\.38\.0.*\n$/);
});

interface Up {
  readonly child: ChildProcess;
  readonly ended: Promise<[number | null, NodeJS.Signals | null]>;
  text(): string;
  /** Waits until the output matches. Resolves to all of the output. */
  printed(pattern: RegExp): Promise<string>;
}

interface StartOptions {
  readonly documents: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

/** Starts `chancery up` on free ports with these documents. */
async function start(t: TestContext, { documents, args, env = {} }: StartOptions): Promise<Up> {
  const folder = await temporaryFolder(t);
  const config = path.join(folder, "mesh.yaml");
  await writeFile(config, documents);
  const fixed = ["--xds-listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--envoy-admin-listen", "127.0.0.1:0"];
  const child = spawn(
    process.execPath,
    [chanceryBin, "up", "--config", config, "--data-dir", path.join(folder, "data"), ...fixed, ...args],
    { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] },
  );
  t.after(() => child.kill("SIGTERM"));
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (piece: string) => {
      text += piece;
    });
  }
  const ended = once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>;
  return {
    child,
    ended,
    text: () => text,
    async printed(pattern) {
      await eventually(() => pattern.test(text) || child.exitCode !== null, `${pattern} in the output`, limitMs);
      assert.match(text, pattern);
      return text;
    },
  };
}

function cartOn(port: number): readonly string[] {
  return ["--run", `"${process.execPath}" "${shopService}" --name cart --listen 127.0.0.1:${port}`];
}

function shop(ports: { readonly cart: number; readonly edge: number }): string {
  return `
kind: "Cluster"
name: "cart"
spec: { endpoints: [{ address: "127.0.0.1", port: ${ports.cart} }] }
---
kind: "Route"
name: "shop"
spec: { hosts: ["*"], routes: [{ match: { prefix: "/" }, cluster: "cart" }] }
---
kind: "Listener"
name: "shop-edge"
spec: { port: ${ports.edge}, http: { routes: ["shop"] } }
`;
}

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), "chancery-up-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, "127.0.0.1");
  return once(server, "listening").then(
    () => once(server.close(), "close").then(() => true),
    () => false,
  );
}
