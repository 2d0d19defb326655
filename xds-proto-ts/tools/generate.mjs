// Generates gen/ (typed JavaScript) and envoy.binpb (the descriptors without comments) from the dump of
// tools/descriptors.
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  CodeGeneratorRequestSchema,
  CodeGeneratorResponseSchema,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";

const root = fileURLToPath(new URL("..", import.meta.url));
const gen = join(root, "gen");

const dump = fromBinary(FileDescriptorSetSchema, readFileSync(join(root, "build/descriptors.binpb")));
const files = closure(dump.file, wanted);
const generated = generate(files);

rmSync(gen, { recursive: true, force: true });
for (const { name, content } of generated) {
  const path = join(gen, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, name.endsWith(".js") ? onSharedImage(name, content) : content);
}
const image = create(FileDescriptorSetSchema, { file: files.map((file) => ({ ...file, sourceCodeInfo: undefined })) });
writeFileSync(join(root, "envoy.binpb"), toBinary(FileDescriptorSetSchema, image));
console.log(`Wrote ${generated.length} files to gen/ and ${files.length} descriptors to envoy.binpb`);

/**
 * True for files that users import: Envoy's v3 and unversioned packages, and other packages that its configuration
 * uses.
 */
function wanted(file) {
  if (file.package.startsWith("envoy.")) return !isV2(file);
  return /^(xds\.|udpa\.type|opentelemetry\.proto\.collector|grpc\.health)/.test(file.package);
}

/** True for packages of the v2 API, which Envoy no longer reads. Some of them have no version in their name. */
function isV2(file) {
  return (
    /\.v[12](alpha\d*)?(\.|$)/.test(file.package) ||
    /^envoy\.(api|type)(\.matcher)?$/.test(file.package) ||
    /^envoy\.config\.(filter|transport_socket|cluster\.redis|retry\.previous_priorities)/.test(file.package)
  );
}

/** The wanted files and all their imports. Each file comes after its imports. */
function closure(all, isWanted) {
  const byName = new Map(all.map((file) => [file.name, file]));
  const ordered = new Set();
  const visit = (name) => {
    const file = byName.get(name);
    if (!file)
      throw new Error(
        `The dump does not contain ${name}: add its Go package to the roots in tools/descriptors/main.go`,
      );
    if (file.package.startsWith("envoy.") && isV2(file)) throw new Error(`A v3 file imports the v2 file ${name}`);
    if (ordered.has(file)) return;
    for (const dependency of file.dependency) visit(dependency);
    ordered.add(file);
  };
  for (const file of all) if (isWanted(file)) visit(file.name);
  return [...ordered];
}

/** Runs protoc-gen-es as protoc does. The runtime library contains google/protobuf/* itself. */
function generate(protoFile) {
  const request = create(CodeGeneratorRequestSchema, {
    parameter: "target=js+dts,import_extension=js",
    protoFile,
    fileToGenerate: protoFile.map((file) => file.name).filter((name) => !name.startsWith("google/protobuf/")),
  });
  const packageJson = createRequire(import.meta.url).resolve("@bufbuild/protoc-gen-es/package.json");
  const plugin = join(dirname(packageJson), "bin/protoc-gen-es");
  const input = toBinary(CodeGeneratorRequestSchema, request);
  const run = spawnSync(process.execPath, [plugin], { input, maxBuffer: 256 * 1024 * 1024 });
  if (run.status !== 0) throw new Error(`protoc-gen-es failed: ${run.error ?? run.stderr}`);
  const response = fromBinary(CodeGeneratorResponseSchema, run.stdout);
  if (response.error) throw new Error(`protoc-gen-es failed: ${response.error}`);
  return response.file;
}

/**
 * Replaces the base64 descriptor that the plugin writes into every file by a look-up in the shared image. So there is
 * less to load, and registry.getMessage(name) is the same schema as the one that the file exports.
 */
function onSharedImage(name, content) {
  const proto = name.replace(/_pb\.js$/, ".proto");
  const parts = content.split(/fileDesc\("[^"]*"(?:, \[[^\]]*\])?\)/);
  if (parts.length !== 2) throw new Error(`Cannot rewrite ${name}: the output of protoc-gen-es has another format`);
  // The other imports are descriptors of this file's imports. The image already links them.
  const body = parts.join(`file("${proto}")`).replace(/^import \{([^}]*)\} from "([^"]*)";\n/gm, (_, names, from) => {
    if (!from.startsWith("@bufbuild/protobuf/codegenv")) return "";
    const kept = names
      .split(",")
      .map((each) => each.trim())
      .filter((each) => each !== "fileDesc");
    return kept.length > 0 ? `import { ${kept.join(", ")} } from "${from}";\n` : "";
  });
  const up = relative(dirname(name), "../image.js");
  const start = body.indexOf("\n/**");
  return `${body.slice(0, start)}import { file } from "${up}";\n${body.slice(start)}`;
}
