import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { extname } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL(`./main${extname(import.meta.filename)}`, import.meta.url));

function start(...args: string[]) {
  return spawn(process.execPath, [main, ...args], { stdio: ["ignore", "pipe", "pipe"] });
}

test("answers with its name and version, and ends on SIGTERM", async (t) => {
  const child = start("--name", "cart-v2", "--listen", "127.0.0.1:0");
  t.after(() => child.kill("SIGKILL"));
  const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  const origin = `http://${/127\.0\.0\.1:\d+$/.exec(line)?.[0]}`;

  const answer = await fetch(`${origin}/cart?x=1`);
  assert.equal(answer.headers.get("content-type"), "application/json");
  const { goods, ...who } = (await answer.json()) as { goods: unknown[] };
  assert.deepEqual(who, { service: "cart", version: "v2", method: "GET", path: "/cart?x=1" });
  assert.ok(goods.length > 1);
  assert.deepEqual(await (await fetch(`${origin}/healthz`)).json(), { status: "ok" });

  const exit = once(child, "exit");
  child.kill("SIGTERM");
  assert.deepEqual(await exit, [0, null]);
});

test("names the port that is in use, and exits with 1", async (t) => {
  const other = createServer().listen(0, "127.0.0.1");
  t.after(() => other.close());
  await once(other, "listening");
  const address = other.address();
  assert.ok(address !== null && typeof address === "object");

  const child = start("--name", "catalog", "--listen", `127.0.0.1:${address.port}`);
  const exit = once(child, "exit");
  const [line] = (await once(createInterface({ input: child.stderr }), "line")) as [string];
  assert.match(line, new RegExp(`^error: cannot listen on 127\\.0\\.0\\.1:${address.port}: the port is in use`));
  assert.deepEqual(await exit, [1, null]);
});

test("prints its usage when arguments are missing, and exits with 2", async () => {
  const child = start("--name", "cart");
  assert.deepEqual(await once(child, "exit"), [2, null]);
});
