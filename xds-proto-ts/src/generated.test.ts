import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { DescMessage } from "@bufbuild/protobuf";
import { messageSchema, registry } from "./registry.ts";

const packageUrl = new URL("../", import.meta.url);

test("the package has the version of the Envoy that its descriptors come from", () => {
  const { version } = JSON.parse(readFileSync(new URL("package.json", packageUrl), "utf8"));
  const goModule = readFileSync(new URL("tools/descriptors/go.mod", packageUrl), "utf8");
  assert.match(goModule, new RegExp(`go-control-plane/envoy v${version}\\s`));
});

test("every file of the API has a module, which exports the same schemas as the registry", async () => {
  for (const file of registry.files) {
    if (file.name.startsWith("google/protobuf/")) continue;
    const module: Record<string, unknown> = await import(new URL(`gen/${file.name}_pb.js`, packageUrl).href);
    for (const message of file.messages) assert.ok(Object.values(module).includes(message), message.typeName);
  }
});

test("finds a schema by type URL and by name", () => {
  const byUrl = messageSchema("type.googleapis.com/envoy.config.cluster.v3.Cluster") as DescMessage;
  assert.equal(byUrl.typeName, "envoy.config.cluster.v3.Cluster");
  assert.equal(messageSchema("envoy.config.cluster.v3.Cluster"), byUrl);
  assert.equal(messageSchema("type.googleapis.com/envoy.config.cluster.v3.Clutser"), undefined);
  assert.equal(messageSchema(""), undefined);
});
