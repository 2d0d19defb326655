// Every descriptor of the package in one file: parsed once, shared by all of gen/. It is plain JavaScript, beside the
// generated code and not in src/, so that gen/ works without a build.
import { readFileSync } from "node:fs";
import { createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";

const image = fromBinary(FileDescriptorSetSchema, readFileSync(new URL("./envoy.binpb", import.meta.url)));

export const registry = createFileRegistry(image);

export function file(name) {
  const found = registry.getFile(name);
  if (!found) throw new Error(`Cannot load "${name}": envoy.binpb does not hold it; run npm run generate`);
  return found;
}
