import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { exportsOf } from "./declarations.ts";

interface Manifest {
  readonly name: string;
  readonly exports: Readonly<Record<string, { readonly types: string }>>;
}

/**
 * A page with the exports of a package, for reviews: each entry point of its package.json, with its names in order.
 * `assembly` is an AssemblyScript file whose exported names are listed too. Paths are relative to the package's folder.
 */
export function apiPage(folder: string, assembly?: string): string {
  const { name, exports } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
  // Generated code, whose entry is a pattern, is left out.
  const entries = Object.entries(exports).filter(([entry]) => !entry.includes("*"));
  const sections = entries.map(([entry, { types }]) => {
    const declared = [...exportsOf(join(folder, types))].sort(([one], [other]) => (one < other ? -1 : 1));
    const text = declared.flatMap(([, texts]) => texts).join("\n\n");
    return `## ${join(name, entry)}\n\n\`\`\`ts\n${text}\n\`\`\`\n`;
  });
  if (assembly !== undefined) {
    const names = assemblyNames(join(folder, assembly)).map((each) => `- \`${each}\``);
    sections.push(`## ${name}, in AssemblyScript\n\n${names.join("\n")}\n`);
  }
  return `# What ${name} exports\n\nWritten by \`UPDATE_GOLDEN=1 npm run check -- development\`; types that are reached only through these are left out.\n\n${sections.join("\n")}`;
}

/** The names that an AssemblyScript file exports, sorted. Throws for an export that it cannot follow. */
function assemblyNames(file: string): readonly string[] {
  const text = readFileSync(file, "utf8").replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
  const names = [...text.matchAll(/^export (.*)$/gm)].flatMap(({ 1: line = "", index }) => {
    const all = /^\* from "([^"]+)"/.exec(line)?.[1];
    if (all !== undefined) return assemblyNames(join(dirname(file), `${all}.ts`));
    const list = /^export \{([^}]*)\}/.exec(text.slice(index))?.[1];
    const declared = /^(?:abstract |declare )?(?:class|const|enum|function|interface|let|namespace|type) (\w+)/.exec(
      line,
    )?.[1];
    if (list === undefined && declared === undefined) throw new Error(`Cannot read an export of ${file}: ${line}`);
    const entries = (list ?? declared ?? "").split(",").map((each) => each.trim().replace(/^.* as /, ""));
    return entries.filter((each) => each !== "");
  });
  return [...new Set(names)].sort();
}
