import { createHash, randomUUID } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { compile } from "./compile.ts";

export interface BuildOptions {
  /** The most memory that one VM of the filter may take, in pages of 64 KiB: 512 (32 MiB) unless given. */
  readonly maximumMemoryPages?: number;
}

export type BuildResult =
  | {
      readonly ok: true;
      /** The filter's name: "request-policy". */
      readonly name: string;
      readonly wasm: Uint8Array;
      /** Lower-case hexadecimal. */
      readonly sha256: string;
      /** Where the module was written: DIR/build/NAME.wasm. */
      readonly wasmPath: string;
      readonly warnings: readonly string[];
    }
  /** What is wrong, each with `file:line:column` where it is in a source. */
  | { readonly ok: false; readonly errors: readonly string[] };

/**
 * Builds the filter in a folder: `assembly/index.ts` registers its root context, `package.json` names it by
 * `chancery.filter` or, without that, by its own name.
 */
export async function buildFilter(dir: string, options: BuildOptions = {}): Promise<BuildResult> {
  const directory = resolve(dir);
  const named = await filterName(directory);
  if (!named.ok) return named;
  const compiled = await compile({
    directory,
    source: 'import "./assembly/index";\nexport * from "@chancery/filter-sdk/proxy";\n',
    maximumMemoryPages: options.maximumMemoryPages ?? 512,
  });
  if (!compiled.ok) return compiled;
  const { wasm, warnings } = compiled;
  const wasmPath = join(directory, "build", `${named.name}.wasm`);
  await mkdir(join(directory, "build"), { recursive: true });
  const unfinished = `${wasmPath}.${randomUUID()}`;
  await writeFile(unfinished, wasm);
  await rename(unfinished, wasmPath);
  return {
    ok: true,
    name: named.name,
    wasm,
    sha256: createHash("sha256").update(wasm).digest("hex"),
    wasmPath,
    warnings,
  };
}

type Named = { readonly ok: true; readonly name: string } | { readonly ok: false; readonly errors: readonly string[] };

/** A name is also a file's name. */
const wellNamed = /^[a-z0-9][a-z0-9._-]{0,62}$/;

async function filterName(directory: string): Promise<Named> {
  const path = join(directory, "package.json");
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch {
    return { ok: false, errors: [`${directory} is not a filter: it has no package.json to name it`] };
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    return { ok: false, errors: [`${path}: ${error instanceof Error ? error.message : String(error)}`] };
  }
  const name = at(at(parsed, "chancery"), "filter") ?? at(parsed, "name");
  if (typeof name === "string" && wellNamed.test(name)) return { ok: true, name };
  const found = JSON.stringify(name) ?? "nothing";
  return {
    ok: false,
    errors: [
      `${path}: "chancery": {"filter": NAME} should name the filter by lower-case letters, digits and - . _; found ${found}`,
    ],
  };
}

function at(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[key] : undefined;
}
