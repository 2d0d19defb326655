import { createHash, randomUUID } from "node:crypto";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { compile } from "./compile.ts";
import { compileOnce } from "./kept-modules.ts";
import { readManifest, withManifest } from "./manifest.ts";
import { signed } from "./sign.ts";

export interface BuildOptions {
  /** The maximum memory of one VM of the filter, in pages of 64 KiB. Default: 512 (32 MiB). */
  readonly maximumMemoryPages?: number;
  /** The cache folder, where compiled modules are kept by the content of their sources; absent: it compiles each time. */
  readonly cache?: string;
}

export type BuildResult =
  | {
      readonly ok: true;
      /** The filter's name: "request-policy". */
      readonly name: string;
      readonly wasm: Uint8Array;
      /** Lower-case hexadecimal. */
      readonly sha256: string;
      /** The path of the written module: DIR/build/NAME.wasm. */
      readonly wasmPath: string;
      /** The module's source map, for `locate`; written to DIR/build/NAME.wasm.map. */
      readonly map: string;
      readonly warnings: readonly string[];
    }
  /** The errors. Those in a source begin with `file:line:column`. */
  | { readonly ok: false; readonly errors: readonly string[] };

/**
 * Builds the filter in a folder. `assembly/index.ts` registers its root context. `package.json` names it by
 * `chancery.filter`, or else by `name`. The manifest is written into the module, and beside it as NAME.manifest.json
 * with the module's digest and size. The module also gets function names that show its name and version in a backtrace
 * of Envoy.
 */
export async function buildFilter(dir: string, options: BuildOptions = {}): Promise<BuildResult> {
  const directory = resolve(dir);
  const read = await readManifest(directory);
  if (!read.ok) return read;
  const { name, version } = read.manifest;
  const sources = {
    directory,
    source: 'import "./assembly/index";\nexport * from "@chancery/filter-sdk/proxy";\n',
    maximumMemoryPages: options.maximumMemoryPages ?? 512,
  };
  const compiled = await (options.cache === undefined ? compile(sources) : compileOnce(sources, options.cache));
  if (!compiled.ok) return compiled;
  const { map, warnings } = compiled;
  const wasm = withManifest(signed(compiled.wasm, version === undefined ? name : `${name}@${version}`), read.manifest);
  const sha256 = createHash("sha256").update(wasm).digest("hex");
  const wasmPath = join(directory, "build", `${name}.wasm`);
  await mkdir(join(directory, "build"), { recursive: true });
  await writeWhole(`${wasmPath}.map`, map);
  await writeWhole(wasmPath, wasm);
  const manifest = { ...read.manifest, sha256, bytes: wasm.length };
  await writeWhole(wasmPath.replace(/wasm$/, "manifest.json"), `${JSON.stringify(manifest, undefined, 2)}\n`);
  return { ok: true, name, wasm, sha256, wasmPath, map, warnings };
}

/** Replaces a file at once: a reader sees the old content or the new content, never a part. */
async function writeWhole(path: string, content: Uint8Array | string): Promise<void> {
  const unfinished = `${path}.${randomUUID()}`;
  await writeFile(unfinished, content);
  await rename(unfinished, path);
}
