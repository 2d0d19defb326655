import assert from "node:assert/strict";
import { test } from "node:test";
import binaryen from "binaryen";
import { type Host, loadFilter } from "./index.ts";

test("data that a network filter lets pass goes both ways", async () => {
  const host = await filter({ down: "(i32.const 0)", up: "(i32.const 0)" });
  const connection = host.connect().send("ping").receive("pong");
  assert.deepEqual([connection.upstream, connection.client], ["ping", "pong"]);
  connection.close();
  assert.deepEqual(said(host), ["create", "new", "down 4 0", "up 4 0", "closed 2", "done", "log", "delete"]);
  host.close();
});

test("data that it stops is held, and passed to it again together with later data", async () => {
  // Stops until eight bytes arrived.
  const host = await filter({ down: "(i32.lt_u (local.get 1) (i32.const 8))" });
  const connection = host.connect().send("half");
  assert.equal(connection.upstream, "");
  connection.send("half");
  assert.equal(connection.upstream, "halfhalf");
  assert.deepEqual(said(host).slice(2), ["down 4 0", "down 8 0"]);
  connection.close();
  host.close();
});

test("its changes to data arrive", async () => {
  const host = await filter({
    down: `(drop (call $set_buffer (i32.const 2) (i32.const 0) (i32.const 2) (i32.const 0) (i32.const 3))) (i32.const 0)`,
    data: "new",
  });
  assert.equal(host.connect().send("older").upstream, "newder");
  host.close();
});

test("it can close the connection", async () => {
  const host = await filter({ down: "(drop (call $close (i32.const 2))) (i32.const 1)" });
  const connection = host.connect().send("bad");
  assert.equal(connection.closed, "wasm_downstream_close");
  assert.equal(connection.upstream, "");
  assert.deepEqual(said(host).slice(-4), ["closed 1", "done", "log", "delete"]);
  host.close();
});

test("a trap closes the connection, and later connections too", async () => {
  const host = await filter({ down: "(unreachable)" });
  assert.equal(host.connect().send("x").closed, "wasm_fail_stream");
  assert.equal(host.trap?.callback, "proxy_on_downstream_data");
  assert.equal(host.connect().closed, "wasm_fail_stream");
  assert.throws(() => host.close(), /proxy_on_downstream_data trapped: unreachable/);
});

/** Builds a network filter. Its two data callbacks log that they were called, then run the given code. */
async function filter({ down = "(i32.const 0)", up = "(i32.const 0)", data = "" }): Promise<Host> {
  const words = ["create", "new", "down", "up", "closed", "done", "log", "delete"];
  const at = (word: string) => 100 + words.indexOf(word) * 10;
  const texts = words.map((word) => `(data (i32.const ${at(word)}) "${word}")`).join(" ");
  const digit = (place: number, local: number) =>
    `(i32.store8 (i32.const ${place}) (i32.const 32))
     (i32.store8 (i32.const ${place + 1}) (i32.add (i32.const 48) (local.get ${local})))`;
  const say = (word: string, ...locals: number[]) => {
    const end = at(word) + word.length;
    const numbers = locals.map((local, index) => digit(end + index * 2, local)).join(" ");
    return `${numbers} (drop (call $log (i32.const 2) (i32.const ${at(word)}) (i32.const ${word.length + locals.length * 2})))`;
  };
  const wasm = binaryen
    .parseText(
      `(module
        (import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))
        (import "env" "proxy_set_buffer_bytes" (func $set_buffer (param i32 i32 i32 i32 i32) (result i32)))
        (import "env" "proxy_close_stream" (func $close (param i32) (result i32)))
        (memory (export "memory") 1 2) ${texts} (data (i32.const 0) "${data}")
        (func (export "proxy_abi_version_0_2_1"))
        (func (export "malloc") (param i32) (result i32) (i32.const 1024))
        (func (export "proxy_on_context_create") (param i32 i32) (if (local.get 1) (then ${say("create")})))
        (func (export "proxy_on_new_connection") (param i32) (result i32) ${say("new")} (i32.const 0))
        (func (export "proxy_on_downstream_data") (param i32 i32 i32) (result i32) ${say("down", 1, 2)} ${down})
        (func (export "proxy_on_upstream_data") (param i32 i32 i32) (result i32) ${say("up", 1, 2)} ${up})
        (func (export "proxy_on_downstream_connection_close") (param i32 i32) ${say("closed", 1)})
        (func (export "proxy_on_done") (param i32) (result i32) ${say("done")} (i32.const 1))
        (func (export "proxy_on_log") (param i32) ${say("log")})
        (func (export "proxy_on_delete") (param i32) ${say("delete")}))`,
    )
    .emitBinary();
  return loadFilter(wasm);
}

function said(host: Host): readonly string[] {
  return host.log.filter(({ level }) => level === "info").map(({ message }) => message);
}
