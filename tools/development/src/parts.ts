import { existsSync, globSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { isTestFile } from "./test-files.ts";

/** A folder of the workspace that can be checked alone. */
export interface Part {
  /** Relative to the workspace's root: "xds-server/src/compile". */
  readonly folder: string;
  /** The folders of the TypeScript projects that contain it or that it contains. */
  readonly projects: readonly string[];
}

/** The folders in which a short name is searched, after the root itself. */
const shortcuts = ["xds-server/src", "filters", "integration/src", "tools"];

/** Folders whose code others wrote or a tool made. It is not checked. */
const unchecked = /(?:^|\/)(?:node_modules|dist|build|gen)(?:\/|$)/;

/** The part with a full or short name: "xds-server/src/protocol", "filters/redact", "compile". Undefined: there is none. */
export function partNamed(root: string, name: string): Part | undefined {
  for (const place of ["", ...shortcuts]) {
    const folder = relative(root, resolve(root, place, name));
    const isBelow = folder !== place && !relative(place, folder).startsWith("..");
    if (!isBelow || !isFolder(join(root, folder)) || !hasCode(root, folder)) continue;
    const projects = projectsOf(root, folder);
    if (projects.length > 0) return { folder, projects };
  }
  return undefined;
}

/** The names of parts to list for a user: each project, and each folder of the server that has tests. */
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

/** The folders of the TypeScript projects, as the root's tsconfig.json lists them. A folder that somebody made beside them is not checked. */
export function projects(root: string): readonly string[] {
  const { references } = JSON.parse(readFileSync(join(root, "tsconfig.json"), "utf8")) as {
    readonly references: readonly { readonly path: string }[];
  };
  return references.map(({ path }) => path).filter((path) => existsSync(join(root, path)));
}

function hasCode(root: string, folder: string): boolean {
  if (unchecked.test(folder)) return false;
  const exclude = ["**/node_modules", "**/dist", "**/build", "**/gen"];
  return globSync(`${folder}/**/*.{ts,mjs}`, { cwd: root, exclude }).length > 0;
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
