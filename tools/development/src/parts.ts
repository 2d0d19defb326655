import { existsSync, globSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { isTestFile } from "./test-files.ts";

/** A folder of the workspace that is checked by itself. */
export interface Part {
  /** Relative to the workspace's root: "xds-server/src/compile". */
  readonly folder: string;
  /** The TypeScript projects that it is in, or that are in it; their folders. */
  readonly projects: readonly string[];
}

/** Where a short name is looked for, after the root itself. */
const shortcuts = ["xds-server/src", "filters", "integration/src", "tools"];

/** The part that a person names: "compile", "xds-server/src/protocol", "filters/redact". Undefined when there is none. */
export function partNamed(root: string, name: string): Part | undefined {
  for (const place of ["", ...shortcuts]) {
    const folder = relative(root, resolve(root, place, name));
    const isBelow = folder !== place && !relative(place, folder).startsWith("..");
    if (!isBelow || !isFolder(join(root, folder))) continue;
    const projects = projectsOf(root, folder);
    if (projects.length > 0) return { folder, projects };
  }
  return undefined;
}

/** The names that parts go by, to choose from: each project, and each folder of the server's with tests in it. */
export function partNames(root: string): readonly string[] {
  const server = "xds-server/src";
  const folders = readdirSync(join(root, server), { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const tested = folders
    .map(({ name }) => name)
    .filter((name) => globSync(`${server}/${name}/**/*`, { cwd: root }).some(isTestFile));
  return [...projects(root), ...tested].sort();
}

function projectsOf(root: string, folder: string): readonly string[] {
  const all = projects(root);
  for (let outer = folder; outer !== "."; outer = dirname(outer)) if (all.includes(outer)) return [outer];
  return all.filter((project) => project.startsWith(`${folder}/`));
}

/** The folders of the TypeScript projects, as the root's tsconfig.json lists them. */
function projects(root: string): readonly string[] {
  const { references } = JSON.parse(readFileSync(join(root, "tsconfig.json"), "utf8")) as {
    readonly references: readonly { readonly path: string }[];
  };
  return references.map(({ path }) => path).filter((path) => existsSync(join(root, path)));
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
