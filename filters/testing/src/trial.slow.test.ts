import assert from "node:assert/strict";
import { test } from "node:test";
import binaryen from "binaryen";
import { type TrialResult, trial } from "./index.ts";

const timeLimitMs = 5000;

test("a module that starts, is configured and takes a request passes", async () => {
  const wasm = module('(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) (i32.const 0))');
  assert.equal((await trial(wasm, { config: "{}", timeLimitMs })).ok, true);
});

test("an endless loop is stopped, and the result names its callback", async () => {
  const wasm = module(
    '(func (export "proxy_on_configure") (param i32 i32) (result i32) (loop $on (br $on)) (i32.const 1))',
  );
  const began = performance.now();
  const { reason, step } = failure(await trial(wasm, { config: "{}", timeLimitMs: 500 }));
  assert.ok(performance.now() - began < 4000);
  assert.deepEqual([reason, step], ["time", "proxy_on_configure"]);
});

test("reports a trap in the first request", async () => {
  const wasm = module('(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) (unreachable))');
  const { reason, message } = failure(await trial(wasm, { config: "{}", timeLimitMs }));
  assert.equal(reason, "trap");
  assert.match(message, /^proxy_on_request_headers trapped: unreachable\n {2}at 0x[0-9a-f]+ /);
});

test("a rejected configuration fails the trial only when a configuration was given", async () => {
  const wasm = module('(func (export "proxy_on_configure") (param i32 i32) (result i32) (i32.const 0))');
  assert.equal((await trial(wasm, { timeLimitMs })).ok, true);
  assert.equal(failure(await trial(wasm, { config: "{}", timeLimitMs })).reason, "rejected");
});

test("reports bytes that are not a module, and a module that imports an unknown function", async () => {
  assert.equal(failure(await trial(Buffer.from("no"), { timeLimitMs })).reason, "not a module");
  const wasm = module("", '(import "env" "proxy_clear_route_cache" (func (result i32)))');
  const { reason, message } = failure(await trial(wasm, { timeLimitMs }));
  assert.equal(reason, "missing import");
  assert.match(message, /imports env\.proxy_clear_route_cache, which Envoy does not have/);
});

test("a host call from a start section, which crashes Envoy, fails the trial", async () => {
  const wasm = module(
    "(func $begin (drop (call $log (i32.const 2) (i32.const 0) (i32.const 0)))) (start $begin)",
    '(import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))',
  );
  assert.match(failure(await trial(wasm, { timeLimitMs })).message, /proxy_log was called where Envoy allows no call/);
});

test("a failed trial does not affect the next one", async () => {
  const configured = (body: string) =>
    module(`(func $on (export "proxy_on_configure") (param i32 i32) (result i32) ${body} (i32.const 1))`);
  const bad = [
    configured("(loop $on (br $on))"),
    configured("(drop (call $on (i32.const 0) (i32.const 0)))"),
    configured("(unreachable)"),
  ];
  const good = configured("");
  for (const wasm of bad) {
    assert.equal((await trial(wasm, { config: "{}", timeLimitMs: 500 })).ok, false);
    assert.equal((await trial(good, { config: "{}", timeLimitMs })).ok, true);
  }
  const many = await Promise.all(Array.from({ length: 4 }, () => trial(good, { config: "{}", timeLimitMs })));
  assert.deepEqual(
    many.map(({ ok }) => ok),
    [true, true, true, true],
  );
});

/** The smallest module that Envoy accepts, with the given functions and imports. */
function module(functions: string, imports = ""): Uint8Array {
  return binaryen
    .parseText(
      `(module ${imports} (memory (export "memory") 1 2)
        (func (export "proxy_abi_version_0_2_1"))
        (func (export "malloc") (param i32) (result i32) (i32.const 1024)) ${functions})`,
    )
    .emitBinary();
}

function failure(result: TrialResult): TrialResult & { ok: false } {
  assert.ok(!result.ok, "the trial passed");
  return result;
}
