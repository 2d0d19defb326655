import { parentPort, workerData } from "node:worker_threads";
import type { Trial, TrialReport } from "./trial.ts";
import { TrialHost } from "./trial-host.ts";
import { type WasmExports, WebAssembly } from "./web-assembly.ts";

/** Runs in a thread of its own: a module may loop for ever. */
const { wasm, configuration } = workerData as Trial;
const say = (report: TrialReport) => parentPort?.postMessage(report);

type Callback = (...values: number[]) => unknown;

const rootId = 1;
const configured = new TextEncoder().encode(configuration);
const host = new TrialHost(configured);
let exports: WasmExports = {};
let step = "loading";

function call(callback: string, ...values: number[]): unknown {
  const found = exports[callback];
  if (typeof found !== "function") return undefined;
  step = callback;
  say({ step });
  return (found as Callback)(...values);
}

try {
  const module = new WebAssembly.Module(wasm);
  const instance = new WebAssembly.Instance(module, host.imports(module));
  exports = instance.exports;
  host.memory.attach(exports);
  if (exports["_initialize"] === undefined) call("_start");
  else {
    call("_initialize");
    if (exports["main"] === undefined) call("__main_void");
    else call("main", 0, 0);
  }
  host.started = true;
  call("proxy_on_context_create", rootId, 0);
  if (call("proxy_on_vm_start", rootId, 0) === 0)
    say({ failed: `does not start: proxy_on_vm_start answers false${host.logged(": ")}` });
  else {
    const accepted = call("proxy_on_configure", rootId, configured.length) !== 0;
    say({ refused: accepted ? undefined : host.logged("") });
  }
} catch (error) {
  say({
    failed: `traps in ${step}: ${error instanceof Error ? error.message : String(error)}${host.logged("; it logged ")}`,
  });
}
