import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { isFilterName } from "./manifest.ts";

const template = fileURLToPath(new URL("../../template/", import.meta.url));
const library = fileURLToPath(new URL("../assembly/index.ts", import.meta.url));
const compilerTypes = createRequire(import.meta.url).resolve("assemblyscript/std/assembly.json");

export type NewFilter =
  | { readonly ok: true; readonly files: readonly string[] }
  /** Why no filter was created. */
  | { readonly ok: false; readonly error: string };

/**
 * Creates the folder of a new filter from the template: source, configuration with its schema, tests, README. Nothing
 * must be installed in it, because the build tool has the library. Its tsconfig.json points editors to the library on
 * this machine.
 */
export async function newFilter(dir: string, name: string): Promise<NewFilter> {
  if (!isFilterName(name)) {
    const error = `A filter's name may have lower-case letters, digits and - . _, and begins with a letter or digit; it is "${name}"`;
    return { ok: false, error };
  }
  const directory = resolve(dir);
  const there = await readdir(directory).catch(() => []);
  if (there.length > 0) return { ok: false, error: `${directory} exists and is not empty` };
  const files: string[] = [];
  for (const entry of await readdir(template, { recursive: true, withFileTypes: true })) {
    const path = relative(template, join(entry.parentPath, entry.name));
    if (!entry.isFile() || path.startsWith(`build${sep}`)) continue;
    const file = renamed(path, name);
    const target = join(directory, file);
    await mkdir(dirname(target), { recursive: true });
    const isSettings = entry.name === "tsconfig.json";
    const text = isSettings ? editorSettings(dirname(target)) : await readFile(join(template, path), "utf8");
    await writeFile(target, isSettings ? text : renamed(text, name));
    files.push(file);
  }
  return { ok: true, files: files.sort() };
}

/** Replaces the template's name by the new name, also in the names of metrics and classes. */
function renamed(text: string, name: string): string {
  const words = name.split(/[^a-z0-9]+/).filter(Boolean);
  const className = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("");
  return text
    .replaceAll("my-filter", name)
    .replaceAll("my_filter", words.join("_"))
    .replaceAll("MyFilter", /^\d/.test(className) ? `Filter${className}` : className);
}

/** A tsconfig.json for editors. The build tool does not need it. */
function editorSettings(folder: string): string {
  const from = (path: string) => relative(folder, path).replaceAll(sep, "/");
  const settings = {
    extends: from(compilerTypes),
    compilerOptions: { paths: { "@chancery/filter-sdk": [from(library)] } },
    include: ["./**/*.ts"],
  };
  return `${JSON.stringify(settings, undefined, 2)}\n`;
}
