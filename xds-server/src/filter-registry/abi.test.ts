import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { findEnvoy, startEnvoy } from "../envoy/index.ts";
import { callbacks, importModules } from "./abi.ts";
import { inspectModule } from "./module-check.ts";
import { catalogLimits, type HandMade, handMade, least, op } from "./testing.ts";

test("Envoy links a module that imports every listed call and exports every listed callback", async (t) => {
  const functions: Record<string, HandMade["functions"][string]> = { ...least };
  for (const [name, signature] of callbacks) functions[name] ??= { signature };
  functions["malloc"] = { signature: "i32 -> i32", body: op.constant(1024) };
  const imports = [...importModules].flatMap(([module, calls]) =>
    [...calls].map(([name, signature]) => ({ module, name, signature })),
  );
  const wasm = handMade({ imports, functions });
  const inspected = await inspectModule(wasm, catalogLimits);
  assert.ok(inspected.ok, JSON.stringify(inspected));

  const directory = await mkdtemp(join(tmpdir(), "chancery-abi-"));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const filename = join(directory, "all.wasm");
  await writeFile(filename, wasm);
  const { path } = await findEnvoy();
  const envoy = await startEnvoy({ envoy: path, bootstrap: bootstrapOf(filename), args: ["--concurrency", "1"] });
  t.after(() => envoy.stop());
  assert.ok(((await envoy.stats("wasm.*active")).get("wasm.envoy.wasm.runtime.v8.active") ?? 0) > 0);
});

/** A bootstrap with the module as an extension, which is the shortest configuration that loads it. */
function bootstrapOf(filename: string): Record<string, unknown> {
  const wasm = {
    "@type": "type.googleapis.com/envoy.extensions.wasm.v3.WasmService",
    singleton: true,
    config: { name: "all", vm_config: { runtime: "envoy.wasm.runtime.v8", code: { local: { filename } } } },
  };
  return {
    admin: { address: { socket_address: { address: "127.0.0.1", port_value: 0 } } },
    bootstrap_extensions: [{ name: "envoy.bootstrap.wasm", typed_config: wasm }],
  };
}
