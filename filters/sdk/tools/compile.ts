import { readFile } from "node:fs/promises";
import { isAbsolute, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import asc from "assemblyscript/asc";
import { keepOverriddenCallbacks } from "./callbacks.ts";

/** This SDK's AssemblyScript: a filter gets the library that belongs to its compiler, wherever the filter lies. */
const library = fileURLToPath(new URL("../assembly/", import.meta.url));
const libraryPath = /^(?:.*[\\/])?node_modules[\\/]@chancery[\\/]filter-sdk[\\/](.+)$/;
const libraryPrefix = "~lib/@chancery/filter-sdk/";
/** A name that no author chooses. */
const entryFile = "chancery-entry.ts";

export interface CompileOptions {
  /** The folder that the source's imports are relative to. */
  readonly directory: string;
  /** The module's source; its exports are the module's. */
  readonly source: string;
  /** The most memory that one VM may take, in pages of 64 KiB. Envoy itself would let it grow to 1 GiB. */
  readonly maximumMemoryPages: number;
}

export type Compiled =
  /** `map` is its source map, whose columns are positions in the module. */
  | { readonly ok: true; readonly wasm: Uint8Array; readonly map: string; readonly warnings: readonly string[] }
  /** The compiler's messages, each with `file:line:column`. */
  | { readonly ok: false; readonly errors: readonly string[] };

/** Compiles AssemblyScript in this process. `@chancery/filter-sdk` is this package's own library. */
export async function compile({ directory, source, maximumMemoryPages }: CompileOptions): Promise<Compiled> {
  const errors: string[] = [];
  const warnings: string[] = [];
  const messages = asc.createMemoryStream();
  const sources = new Map([
    [entryFile, `${source}\nimport "@chancery/filter-sdk/abort";\nimport "@chancery/filter-sdk/environment";\n`],
  ]);
  let wasm: Uint8Array | undefined;
  let map = "";
  const { error } = await asc.main(
    [
      entryFile,
      ...["--baseDir", resolve(directory), "--outFile", "filter.wasm", "--sourceMap"],
      ...["--optimizeLevel", "3", "--runtime", "minimal"],
      // Envoy dies of a host call in a start section.
      ...["--exportStart", "_initialize"],
      ...["--maximumMemory", String(maximumMemoryPages)],
      ...["--use", "abort=~lib/@chancery/filter-sdk/abort/abort"],
      ...["--use", "seed=~lib/@chancery/filter-sdk/environment/seed"],
    ],
    {
      stderr: messages,
      readFile: async (name, from) => {
        const text = sources.get(name) ?? (await readSource(name, from));
        if (text !== null) sources.set(sourceName(name), text);
        return text;
      },
      writeFile: (_name, contents) => {
        if (contents instanceof Uint8Array) wasm = contents;
        else map = withoutSources(contents);
      },
      listFiles: () => [],
      reportDiagnostic: (diagnostic) => {
        if (diagnostic.category === category.error) errors.push(located(diagnostic, sources));
        else if (diagnostic.category === category.warning) warnings.push(located(diagnostic, sources));
      },
      transforms: [keepOverriddenCallbacks()],
    },
  );
  if (error === null && wasm !== undefined) return { ok: true, wasm, map, warnings };
  if (errors.length === 0) errors.push(error?.message ?? messages.toString());
  return { ok: false, errors };
}

/** The sources are the author's, and the library's come with it: the map need only name them. */
function withoutSources(map: string): string {
  const { sourcesContent, ...rest } = JSON.parse(map) as Record<string, unknown>;
  return JSON.stringify(rest);
}

const category = { warning: 2, error: 3 };

/** What the compiler calls a file in its messages. */
function sourceName(name: string): string {
  const inLibrary = libraryPath.exec(name)?.[1];
  return inLibrary === undefined ? name : libraryPrefix + inLibrary;
}

async function readSource(name: string, from: string): Promise<string | null> {
  const inLibrary = libraryPath.exec(name)?.[1];
  const path = inLibrary !== undefined ? join(library, inLibrary) : isAbsolute(name) ? name : join(from, name);
  try {
    return await readFile(path, "utf8");
  } catch {
    // The compiler asks for every place where a file may lie.
    return null;
  }
}

interface Diagnostic {
  readonly code: number;
  readonly message: string;
  readonly range: { readonly start: number; readonly source: { readonly normalizedPath: string } | null } | null;
}

function located({ code, message, range }: Diagnostic, sources: ReadonlyMap<string, string>): string {
  const text = `${message} (AS${code})`;
  if (range?.source == null) return text;
  const path = range.source.normalizedPath;
  if (path === entryFile) return text;
  const before = sources.get(path)?.slice(0, range.start).split("\n");
  const position = before === undefined ? "" : `:${before.length}:${(before.at(-1)?.length ?? 0) + 1}`;
  return `${path}${position}: ${text}`;
}
