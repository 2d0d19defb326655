import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { buildFilter } from "@chancery/filter-sdk/build";
import { cacheFolder } from "@chancery/filter-sdk/build-cache";
import { checkModule } from "./check-module.ts";
import { configFaults } from "./config-schema.ts";
import { catalogLimits } from "./testing.ts";
import { tryModule } from "./trial.ts";

const filters = new URL("../../../filters/", import.meta.url);
/** All filters except the template for new ones. */
const shipped = readdirSync(filters).filter(
  (name) => name !== "template" && existsSync(new URL(`${name}/config.schema.json`, filters)),
);
const timeLimitMs = 5000;
const modules = new Map<string, Uint8Array>();

before(async () => {
  for (const name of shipped) {
    const built = await buildFilter(fileURLToPath(new URL(name, filters)), { cache: cacheFolder() });
    assert.ok(built.ok, built.ok ? "" : built.errors.join("\n"));
    modules.set(name, built.wasm);
  }
});

test("the shipped filters pass the check, and their schemas and modules accept their example configurations", async () => {
  for (const [name, wasm] of modules) {
    const checked = await checkModule(wasm, { ...catalogLimits, maxModuleBytes: 100_000 });
    assert.ok(checked.ok, `${name}: ${JSON.stringify(checked)}`);
    const { manifest } = checked.facts;
    assert.equal(manifest?.name, name);
    const configuration = await readFile(new URL(`${name}/config.json`, filters), "utf8");
    assert.deepEqual(configFaults(manifest?.configSchema ?? false, JSON.parse(configuration)), [], name);
    assert.deepEqual(await tryModule(wasm, { timeLimitMs, configuration }), [], name);
  }
});

test("the README of each shipped filter shows its example configuration", async () => {
  for (const name of modules.keys()) {
    const configuration = await readFile(new URL(`${name}/config.json`, filters), "utf8");
    const readme = await readFile(new URL(`${name}/README.md`, filters), "utf8");
    assert.equal(/```json\n(.*?)```/s.exec(readme)?.[1], configuration, name);
  }
});

test("the rejection of a configuration contains the filter's own message", async () => {
  const wasm = modules.get("request-policy") ?? new Uint8Array();
  const configuration = '{"default": {"action": "deny"}, "rules": {}}';
  assert.deepEqual(await tryModule(wasm, { timeLimitMs, configuration }), [
    {
      code: "FILTER_CONFIG_REJECTED",
      message:
        "rejects the configuration: request-policy rejects its configuration: rules: should be a list, is an object",
    },
  ]);
});
