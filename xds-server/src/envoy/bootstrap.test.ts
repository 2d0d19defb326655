import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { readJson, validate } from "xds-proto-ts";
import { BootstrapSchema } from "xds-proto-ts/envoy/config/bootstrap/v3/bootstrap";
import { parse } from "yaml";
import { bootstrap, type XdsVariant } from "./bootstrap.ts";

const options = {
  xds: { host: "::1", port: 18123 },
  nodeId: "edge-7",
  cluster: "edge",
  admin: { host: "127.0.0.2", port: 9999 },
} as const;

for (const [variant, apiType] of [
  ["delta", "DELTA_GRPC"],
  ["sotw", "GRPC"],
] as const) {
  test(`the ${variant} bootstrap is one that Envoy's API accepts`, () => {
    for (const json of [file(variant), bootstrap({ variant, ...options })]) {
      const read = readJson(BootstrapSchema, json);
      assert.ok(read.ok, read.ok ? "" : JSON.stringify(read.issues));
      assert.deepEqual(validate(BootstrapSchema, read.message), []);
    }
  });

  test(`the ${variant} bootstrap is the file with its places filled in`, () => {
    const filled = JSON.stringify(bootstrap({ variant, ...options }));
    assert.match(filled, new RegExp(`"api_type":"${apiType}"`));
    assert.match(filled, /"node":\{"id":"edge-7","cluster":"edge"\}/);
    assert.match(filled, /"admin":\{"address":\{"socket_address":\{"address":"127\.0\.0\.2","port_value":9999\}\}\}/);
    assert.match(filled, /"socket_address":\{"address":"::1","port_value":18123\}/);
  });
}

test("both files say the same except for how discovery is spoken", () => {
  const text = JSON.stringify(file("delta")).replace("DELTA_GRPC", "GRPC");
  assert.deepEqual(JSON.parse(text), file("sotw"));
});

test("the admin of Envoy takes a free port on loopback when none is named", () => {
  const { admin: _, ...rest } = options;
  assert.match(
    JSON.stringify(bootstrap({ variant: "delta", ...rest })),
    /"admin":.{0,40}"127\.0\.0\.1","port_value":0/,
  );
});

function file(variant: XdsVariant): unknown {
  return parse(readFileSync(new URL(`../../../envoy-configs/bootstrap/${variant}-ads.yaml`, import.meta.url), "utf8"));
}
