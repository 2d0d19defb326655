// Loads every descriptor of the package from one file, which all of gen/ shares. The descriptors of a .proto file and
// of its imports are created at their first use. This is plain JavaScript beside the generated code, not TypeScript in
// src/, so that gen/ works without a build.
import { readFileSync } from "node:fs";
import { createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { nestedTypes } from "@bufbuild/protobuf/reflect";
import { BinaryReader } from "@bufbuild/protobuf/wire";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";

/** The bytes of each .proto file, by its name. */
const encoded = new Map();
/** The .proto file of each type and service, by name. Nested types are found by their outer message. */
const fileOf = new Map();
/** The .proto files that declare extensions of a message, by the message's name. */
const extending = new Map();
/** The full names of the messages that are not nested in another message. */
const outerMessages = [];
const loaded = new Map();
const types = new Map();

// These field numbers are from descriptor.proto: FileDescriptorSet.file is 1. FileDescriptorProto has name (1), package
// (2), message_type (4), enum_type (5), service (6) and extension (7). Each of these has name (1); an extension has
// extendee (2).
for (const { number, value } of fields(readFileSync(new URL("./envoy.binpb", import.meta.url)))) {
  if (number === 1) index(value);
}

function index(bytes) {
  const [text, inner] = [new TextDecoder(), [...fields(bytes)]];
  const last = (list, wanted) => text.decode(list.findLast(({ number }) => number === wanted)?.value);
  const [name, scope] = [last(inner, 1), last(inner, 2)];
  encoded.set(name, bytes);
  for (const { number, value } of inner) {
    if (number < 4 || number > 7) continue;
    const member = [...fields(value)];
    const typeName = scope === "" ? last(member, 1) : `${scope}.${last(member, 1)}`;
    fileOf.set(typeName, name);
    if (number === 4) outerMessages.push(typeName);
    if (number === 7) {
      const extendee = last(member, 2).replace(/^\./, "");
      extending.set(extendee, [...(extending.get(extendee) ?? []), name]);
    }
  }
}

/** The length-delimited fields of a message. */
function* fields(bytes) {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    if (wireType === 2) yield { number, value: reader.bytes() };
    else reader.skip(wireType, number);
  }
}

function load(name) {
  const bytes = encoded.get(name);
  if (loaded.has(name) || bytes === undefined) return loaded.get(name);
  const proto = fromBinary(FileDescriptorProtoSchema, bytes);
  // The imports are passed without their own imports. Otherwise the library would follow imports along every path.
  const found = createFileRegistry(proto, (imported) => ({ ...load(imported), dependencies: [] })).getFile(name);
  found.dependencies = proto.dependency.map(load);
  loaded.set(name, found);
  for (const type of nestedTypes(found)) types.set(type.typeName, type);
  return found;
}

function typed(kind, name) {
  for (let outer = name; outer !== ""; outer = outer.slice(0, Math.max(0, outer.lastIndexOf(".")))) {
    const holder = fileOf.get(outer);
    if (holder === undefined) continue;
    load(holder);
    break;
  }
  const type = types.get(name);
  return kind === undefined || type?.kind === kind ? type : undefined;
}

export const registry = {
  kind: "registry",
  get files() {
    return [...encoded.keys()].map(load);
  },
  getFile: load,
  get: (name) => typed(undefined, name),
  getMessage: (name) => typed("message", name),
  getEnum: (name) => typed("enum", name),
  getService: (name) => typed("service", name),
  getExtension: (name) => typed("extension", name),
  getExtensionFor({ typeName }, number) {
    for (const name of extending.get(typeName) ?? []) load(name);
    return [...types.values()].find(
      (type) => type.kind === "extension" && type.number === number && type.extendee.typeName === typeName,
    );
  },
  *[Symbol.iterator]() {
    for (const name of encoded.keys()) load(name);
    yield* types.values();
  },
};

export const messageNames = outerMessages;

export function file(name) {
  const found = load(name);
  if (!found) throw new Error(`Cannot load "${name}": envoy.binpb does not contain it; run npm run generate`);
  return found;
}
