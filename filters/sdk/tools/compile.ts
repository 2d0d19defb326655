import { readFile } from "node:fs/promises";
import { isAbsolute, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import asc from "assemblyscript/asc";
import { keepOverriddenCallbacks } from "./callbacks.ts";

/** The AssemblyScript library of this SDK. A filter in any folder is compiled with the library of this same package. */
export const library: string = fileURLToPath(new URL("../assembly/", import.meta.url));
const libraryPath = /^(?:.*[\\/])?node_modules[\\/]@chancery[\\/]filter-sdk[\\/](.+)$/;
/** The compiler's name for a file of the library begins with this. */
export const libraryPrefix = "~lib/@chancery/filter-sdk/";
/** The name of the generated entry file. It should not collide with a file of the filter. */
const entryFile = "chancery-entry.ts";

export interface CompileOptions {
  /** The source's imports are relative to this folder. */
  readonly directory: string;
  /** The source of the module's entry file. Its exports are the exports of the module. */
  readonly source: string;
  /** The maximum memory of one VM, in pages of 64 KiB. Without a maximum, Envoy lets it grow to 1 GiB. */
  readonly maximumMemoryPages: number;
}

export type Compiled =
  | {
      readonly ok: true;
      readonly wasm: Uint8Array;
      /** The source map of the module. Its columns are positions in the module. */
      readonly map: string;
      readonly warnings: readonly string[];
      /** The sources that the compiler read, by their names in the source map. */
      readonly sources: readonly string[];
    }
  /** The compiler's messages, each with `file:line:column`. */
  | { readonly ok: false; readonly errors: readonly string[] };

/** Compiles AssemblyScript in this process. `@chancery/filter-sdk` resolves to the library of this package. */
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
      // Envoy crashes on a host call in a start section.
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
  sources.delete(entryFile);
  if (error === null && wasm !== undefined) return { ok: true, wasm, map, warnings, sources: [...sources.keys()] };
  if (errors.length === 0) errors.push(error?.message ?? messages.toString());
  return { ok: false, errors };
}

/**
 * Removes the sources from the map. The author has the sources of the filter, and the package has those of the library.
 */
function withoutSources(map: string): string {
  const { sourcesContent, ...rest } = JSON.parse(map) as Record<string, unknown>;
  return JSON.stringify(rest);
}

const category = { warning: 2, error: 3 };

/** The name of a file in the compiler's messages. */
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
    // The compiler tries each place where a file may be.
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
