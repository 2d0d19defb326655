import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { compile } from "./compile.ts";

// The library's own tests are AssemblyScript: each exported function `test_*` passes when it does not trap.

const tests = fileURLToPath(new URL("../assembly/tests/", import.meta.url));

interface Instance {
  readonly exports: Readonly<Record<string, unknown>>;
}

interface Engine {
  instantiate(wasm: Uint8Array, imports: object): Promise<{ readonly instance: Instance }>;
}

const { WebAssembly } = globalThis as unknown as { readonly WebAssembly: Engine };

const source = (await readdir(tests))
  .map((file) => `export * from "@chancery/filter-sdk/tests/${file.replace(/\.ts$/, "")}";`)
  .join("\n");
const compiled = await compile({ directory: tests, source, maximumMemoryPages: 512 });
assert.ok(compiled.ok, compiled.ok ? "" : compiled.errors.join("\n"));

const logged: string[] = [];
const { instance } = await WebAssembly.instantiate(compiled.wasm, {
  env: {
    proxy_log(_level: number, at: number, size: number): number {
      const { buffer } = instance.exports["memory"] as { readonly buffer: ArrayBuffer };
      logged.push(new TextDecoder().decode(new Uint8Array(buffer, at, size)));
      return 0;
    },
  },
});
(instance.exports["_initialize"] as () => void)();

for (const [name, run] of Object.entries(instance.exports)) {
  if (!name.startsWith("test_")) continue;
  test(name.slice("test_".length).replaceAll("_", " "), () => {
    try {
      (run as () => void)();
    } catch (error) {
      assert.fail(logged.splice(0).join("\n") || String(error));
    }
  });
}
