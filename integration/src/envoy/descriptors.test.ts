import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { toJson } from "@bufbuild/protobuf";
import { type FileDescriptorProto, FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { findEnvoy } from "@chancery/xds-server/envoy";
import { messageSchema, registry } from "xds-proto-ts";
import { bootstrapOf } from "../harness/static-bootstrap.ts";
import { startTestEnvoy } from "../harness/test-envoy.ts";
import { descriptorsIn } from "./descriptors.ts";

const { path: envoy } = await findEnvoy();

test("the descriptors of xds-proto-ts are those that Envoy was built with", async () => {
  const carried = [...descriptorsIn(await readFile(envoy)).values()].filter(isOurs);
  assert.ok(carried.length > 400, `found only ${carried.length} descriptors in ${envoy}`);
  for (const theirs of carried) {
    const ours = registry.getFile(theirs.name)?.proto;
    assert.ok(ours, `xds-proto-ts lacks ${theirs.name}`);
    assert.deepEqual(comparable(ours), comparable(theirs), theirs.name);
  }
});

test("xds-proto-ts knows the configuration of every extension that Envoy lists", async (t) => {
  const running = await startTestEnvoy(bootstrapOf({ listeners: [] }));
  t.after(() => running.stop());
  const info = JSON.parse(await running.admin("/server_info"));
  const extensions: readonly { readonly type_urls?: readonly string[] }[] = info.node.extensions;
  const types = new Set(extensions.flatMap((extension) => extension.type_urls ?? []));
  assert.ok(types.size > 300, `Envoy lists only ${types.size} types`);
  assert.deepEqual(
    [...types].filter((type) => messageSchema(type) === undefined),
    [],
  );
});

/** Envoy still links a few types of the v2 API, although its own files do not import them. */
function isOurs({ name, package: owner }: FileDescriptorProto): boolean {
  return name.startsWith("envoy/") && !/^envoy\.type(\.matcher)?$/.test(owner);
}

/** A descriptor as JSON, without the order of options, and without the JSON names, which C++ leaves out. */
function comparable(file: FileDescriptorProto): unknown {
  const json = JSON.stringify(toJson(FileDescriptorProtoSchema, file, { registry }));
  return JSON.parse(json, (key, value) => (key === "jsonName" ? undefined : value));
}
