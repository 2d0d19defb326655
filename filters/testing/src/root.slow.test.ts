import assert from "node:assert/strict";
import { test } from "node:test";
import binaryen from "binaryen";
import { type FilterOptions, FilterRejected, type Host, loadFilter } from "./index.ts";

test("ticks happen by the clock, each at its time, until they are cancelled", async () => {
  const host = await load(`
    (func (export "proxy_on_configure") (param i32 i32) (result i32)
      (drop (call $tick (i32.const 100))) (i32.const 1))
    (func (export "proxy_on_tick") (param i32)
      (global.set $count (i32.add (global.get $count) (i32.const 1)))
      (drop (call $log (i32.const 2) (i32.const 0) (i32.const 4)))
      (if (i32.eq (global.get $count) (i32.const 3)) (then (drop (call $tick (i32.const 0))))))`);
  host.advance(99);
  assert.equal(host.log.length, 0);
  host.advance(101);
  assert.equal(host.log.length, 2);
  host.advance(1000);
  assert.equal(host.log.length, 3);
  host.close();
});

test("the root that registered a queue last is notified of new entries, also on another worker", async () => {
  const host = await load(
    `
    (func (export "proxy_on_configure") (param i32 i32) (result i32)
      (drop (call $register (i32.const 0) (i32.const 4) (i32.const 64))) (i32.const 1))
    (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
      (drop (call $enqueue (i32.load (i32.const 64)) (i32.const 0) (i32.const 4))) (i32.const 0))
    (func (export "proxy_on_queue_ready") (param i32 i32)
      (drop (call $dequeue (local.get 1) (i32.const 72) (i32.const 76)))
      (drop (call $log (i32.const 2) (i32.load (i32.const 72)) (i32.load (i32.const 76)))))`,
    { workers: 2 },
  );
  await host.request();
  await host.request();
  assert.deepEqual(
    host.log.map(({ message }) => message),
    ["text", "text"],
  );
  host.close();
});

test("a root that asks for time when it is removed must call proxy_done", async () => {
  const host = await load('(func (export "proxy_on_done") (param i32) (result i32) (i32.eqz (local.get 0)))');
  assert.throws(() => host.close(), /never called proxy_done/);
});

const traps = `(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) (unreachable))`;

test("a trap answers 503, and later requests get 503 too", async () => {
  const host = await load(traps, { strict: false });
  const { status, details } = await host.request();
  assert.deepEqual([status, details], [503, "wasm_fail_stream"]);
  assert.equal((await host.request()).status, 503);
  assert.equal(host.trap?.message, "unreachable");
  assert.match(host.log[0]?.message ?? "", /^proxy_on_request_headers trapped: unreachable/);
});

test("requests pass a filter that fails open after its trap", async () => {
  const host = await load(traps, { strict: false, failurePolicy: "open" });
  assert.equal((await host.request()).status, 503);
  assert.equal((await host.request()).status, 200);
});

test("a filter with the policy reload gets a new VM after the back-off", async () => {
  const once = `(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
    (if (i32.eqz (call $shared (i32.const 0) (i32.const 4) (i32.const 64) (i32.const 68) (i32.const 72)))
      (then (return (i32.const 0))))
    (drop (call $set_shared (i32.const 0) (i32.const 4) (i32.const 0) (i32.const 4) (i32.const 0)))
    (unreachable))`;
  const host = await load(once, { strict: false, failurePolicy: "reload", reloadBackoffMs: 1000 });
  assert.equal((await host.request()).status, 503);
  assert.equal((await host.request()).status, 503);
  host.advance(1000);
  assert.equal((await host.request()).status, 200);
  assert.equal(host.trap, undefined);
});

test("new code that traps when it starts changes nothing", async () => {
  const host = await load("");
  const bad = module('(func (export "proxy_on_configure") (param i32 i32) (result i32) (unreachable))');
  await assert.rejects(host.swap({ module: bad }), FilterRejected);
  assert.equal((await host.request()).status, 200);
  host.close();
});

test("a root that traps when it is replaced also stops its replacement, until the next push", async () => {
  // Measured in Envoy with an SDK whose root traps in on_done: after every other push of a configuration, requests get
  // 503.
  const host = await load(
    `(func (export "proxy_on_context_create") (param i32 i32)
      (if (i32.eqz (local.get 1)) (then (i32.store8 (i32.add (i32.const 200) (local.get 0)) (i32.const 1)))))
    (func (export "proxy_on_done") (param i32) (result i32)
      (if (i32.load8_u (i32.add (i32.const 200) (local.get 0))) (then (unreachable))) (i32.const 1))`,
    { strict: false },
  );
  const statuses: number[] = [];
  for (const config of ["one", "two", "three", "four"]) {
    await host.swap({ config });
    statuses.push((await host.request()).status);
  }
  assert.deepEqual(statuses, [503, 200, 503, 200]);
});

test("requests that began before a swap end with the old code", async () => {
  const answers = (status: number) =>
    module(`(func (export "proxy_on_request_body") (param i32 i32 i32) (result i32)
      (drop (call $respond (i32.const ${status}) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
        (i32.const 0) (i32.const 0) (i32.const -1))) (i32.const 3))`);
  const host = await loadFilter(answers(201));
  const before = host.start({ method: "POST" });
  await host.swap({ module: answers(202) });
  assert.equal((await host.request({ body: "x" })).status, 202);
  assert.equal(before.send("x").reply.status, 201);
  host.close();
});

test("a buffered body beyond the limit is answered with 413", async () => {
  const buffers = '(func (export "proxy_on_request_body") (param i32 i32 i32) (result i32) (i32.const 1))';
  const host = await load(buffers, { bufferLimit: 8 });
  const { status, body } = await host.request({ body: ["12345", "67890"] });
  assert.deepEqual([status, body], [413, "Payload Too Large"]);
  host.close();
});

test("a test answers a gRPC call, and the module is notified of a failure with status and message", async () => {
  const asks = `
    (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
      (drop (call $grpc (i32.const 0) (i32.const 4) (i32.const 0) (i32.const 4) (i32.const 0) (i32.const 4)
        (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 4) (i32.const 1000) (i32.const 64))) (i32.const 0))
    (func (export "proxy_on_grpc_receive") (param i32 i32 i32)
      (drop (call $buffer (i32.const 5) (i32.const 0) (local.get 2) (i32.const 72) (i32.const 76)))
      (drop (call $log (i32.const 2) (i32.load (i32.const 72)) (i32.load (i32.const 76)))))
    (func (export "proxy_on_grpc_close") (param i32 i32 i32)
      (drop (call $status (i32.const 68) (i32.const 72) (i32.const 76)))
      (drop (call $log (i32.load (i32.const 68)) (i32.load (i32.const 72)) (i32.load (i32.const 76)))))`;
  const host = await load(asks);
  host.onGrpcCall((call) => {
    assert.deepEqual([call.kind, call.service, call.method], ["call", "text", "/text/text"]);
    assert.equal(call.messages[0]?.toString(), "text");
    call.sendMessage("well");
  });
  await host.request();
  host.onGrpcCall((call) => call.close(3, "bad argument"));
  await host.request();
  assert.deepEqual(host.log, [
    { level: "info", message: "well" },
    { level: "warn", message: "bad argument" },
  ]);
  host.close();
});

test("a plugin that only logs reads the request and the answer, and cannot change them", async () => {
  const logs = `(func (export "proxy_on_log") (param i32)
    (drop (call $log (i32.const 2) (i32.const 0) (i32.const 4)))
    (drop (call $value (i32.const 2) (i32.const 32) (i32.const 7) (i32.const 72) (i32.const 76)))
    (drop (call $log (i32.const 2) (i32.load (i32.const 72)) (i32.load (i32.const 76))))
    (if (i32.ne (call $add (i32.const 0) (i32.const 0) (i32.const 4) (i32.const 0) (i32.const 4)) (i32.const 2))
      (then (unreachable))))`;
  const host = await load(logs);
  host.logAccess({ path: "/x" }, { status: 418 });
  assert.deepEqual(
    host.log.map(({ message }) => message),
    ["text", "418"],
  );
  host.close();
});

test("a filter reads the properties that a test gives", async () => {
  const reads = `(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
    (if (i32.eqz (call $property (i32.const 16) (i32.const 14) (i32.const 72) (i32.const 76)))
      (then (drop (call $log (i32.const 2) (i32.load (i32.const 72)) (i32.load (i32.const 76))))))
    (i32.const 0))`;
  const host = await load(reads, { properties: { "xds.route_name": "cart" } });
  await host.request();
  await host.request({ properties: { "xds.route_name": "pay" } });
  assert.deepEqual(
    host.log.map(({ message }) => message),
    ["cart", "pay"],
  );
  host.close();
});

function load(functions: string, options: FilterOptions = {}): Promise<Host> {
  return loadFilter(module(functions), options);
}

/** "text" is at address 0, a property's path at 16. The allocator returns 1,024 for everything that the host passes. */
function module(functions: string): Uint8Array {
  const call = (name: string, id: string, count: number) =>
    `(import "env" "proxy_${name}" (func $${id} (param ${"i32 ".repeat(count)}) (result i32)))`;
  return binaryen
    .parseText(
      `(module
        ${call("log", "log", 3)} ${call("set_tick_period_milliseconds", "tick", 1)}
        ${call("register_shared_queue", "register", 3)} ${call("enqueue_shared_queue", "enqueue", 3)}
        ${call("dequeue_shared_queue", "dequeue", 3)} ${call("get_shared_data", "shared", 5)}
        ${call("set_shared_data", "set_shared", 5)} ${call("send_local_response", "respond", 8)}
        ${call("grpc_call", "grpc", 12)} ${call("get_buffer_bytes", "buffer", 5)} ${call("get_status", "status", 3)}
        ${call("get_property", "property", 4)} ${call("get_header_map_value", "value", 5)}
        ${call("add_header_map_value", "add", 5)}
        (memory (export "memory") 1 2) (data (i32.const 0) "text") (data (i32.const 16) "xds\\00route_name")
        (data (i32.const 32) ":status")
        (global $count (mut i32) (i32.const 0))
        (func (export "proxy_abi_version_0_2_1"))
        (func (export "malloc") (param i32) (result i32) (i32.const 1024)) ${functions})`,
    )
    .emitBinary();
}
