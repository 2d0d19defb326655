import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { type Companion, startCompanion } from "./companion.ts";

test("ends the processes that the command started, too", async () => {
  const child = "(trap 'echo gone; exit' TERM; echo there; while :; do sleep 0.01; done)";
  const companion = await startCompanion(`${child} & wait`);
  assert.equal(await firstOutput(companion), "there");
  await companion.stop();
  // The shell may print a line of its own about the command that the signal ended.
  assert.ok(companion.recentOutput().includes("gone"));
});

test("a command can end by itself after SIGTERM, and its output is kept", async () => {
  const companion = await startCompanion("trap 'echo bye; exit 0' TERM; echo hello; while :; do sleep 0.01; done");
  assert.equal(await firstOutput(companion), "hello");
  await companion.stop();
  assert.deepEqual(await companion.exited, { code: 0, signal: null });
  assert.ok(companion.recentOutput().includes("bye"));
});

test("reports how a command ended by itself", async () => {
  const companion = await startCompanion("echo no such thing >&2; exit 3");
  assert.deepEqual(await companion.exited, { code: 3, signal: null });
  assert.deepEqual(companion.recentOutput(), ["no such thing"]);
  await companion.stop();
});

async function firstOutput(companion: Companion): Promise<string> {
  const deadline = Date.now() + 10_000;
  while (companion.recentOutput().length === 0 && Date.now() < deadline) await delay(5);
  return companion.recentOutput()[0] ?? "";
}
