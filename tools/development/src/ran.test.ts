import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { ran } from "./ran.ts";

const cwd = process.cwd();

test("a program's output and exit code are its result", async () => {
  const script = 'console.log("out"); console.error("err"); process.exitCode = 3';
  const { code, output } = await ran(process.execPath, ["-e", script], { cwd });
  assert.equal(code, 3);
  assert.deepEqual(output.trim().split("\n").sort(), ["err", "out"]);
});

test("a program that does not end is killed at its limit, with the processes that it started", async () => {
  const endless = "setInterval(() => {}, 1000)";
  const script = `console.log(require("child_process").spawn(process.execPath, ["-e", ${JSON.stringify(endless)}]).pid); ${endless}`;
  const { code, output } = await ran(process.execPath, ["-e", script], { cwd, limitMs: 500 });
  assert.equal(code, 1);
  const pid = Number(output);
  assert.ok(pid > 0);
  // It has ended, or is a zombie until its parent waits for it.
  while (isRunning(pid)) await new Promise(setImmediate);
});

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0) && !readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ");
  } catch {
    return false;
  }
}
