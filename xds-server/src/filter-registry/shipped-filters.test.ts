import assert from "node:assert/strict";
import { before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { buildFilter } from "@chancery/filter-sdk/build";
import { checkModule } from "./module-check.ts";

const timeLimitMs = 5000;
const modules = new Map<string, Uint8Array>();

before(async () => {
  for (const name of ["request-policy", "request-telemetry"]) {
    const built = await buildFilter(fileURLToPath(new URL(`../../../filters/${name}`, import.meta.url)));
    assert.ok(built.ok, built.ok ? "" : built.errors.join("\n"));
    modules.set(name, built.wasm);
  }
});

test("the shipped filters pass the check, with no configuration and with their own", async () => {
  const configurations = {
    "request-policy": '{"default": {"action": "deny"}, "rules": []}',
    "request-telemetry": "{}",
  };
  for (const [name, configuration] of Object.entries(configurations)) {
    const wasm = modules.get(name) ?? new Uint8Array();
    assert.deepEqual(await checkModule(wasm, { timeLimitMs }), [], name);
    assert.deepEqual(await checkModule(wasm, { timeLimitMs, configuration }), [], name);
  }
});

test("a configuration that a filter refuses is refused in the filter's own words", async () => {
  const wasm = modules.get("request-policy") ?? new Uint8Array();
  assert.deepEqual(
    await checkModule(wasm, { timeLimitMs, configuration: '{"default": {"action": "deny"}, "rules": {}}' }),
    [
      "proxy_on_configure refuses the configuration: request-policy refuses its configuration: rules: should be a list, is an object",
    ],
  );
});
