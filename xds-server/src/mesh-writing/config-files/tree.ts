import { open, readdir, stat } from "node:fs/promises";
import { dirname, extname, join, resolve } from "node:path";
import { type Problem, problemOf } from "../../model/problem.ts";

export interface TreeLimits {
  /** Files and folders together. */
  readonly maxEntries: number;
  readonly maxFileBytes: number;
}

/** The configuration files that exist, and their state. */
export interface Tree {
  /** Their paths as the operator would write them, sorted. */
  readonly files: readonly string[];
  /** The paths of the folders to watch, by device and inode. A folder that is created again under its old name is a new one. */
  readonly folders: ReadonlyMap<string, string>;
  /** Equal for two trees when no file changed in between. */
  readonly stamp: string;
  readonly problems: readonly Problem[];
}

export interface ConfigFile {
  readonly path: string;
  readonly text: string;
}

/**
 * Finds the files of the paths. A path names one file with any extension, or a folder: then all *.yaml, *.yml and *.json
 * files below it count, except below a name that begins with a dot.
 */
export async function lookThrough(paths: readonly string[], limits: TreeLimits): Promise<Tree> {
  const walk = new Walk(limits);
  for (const path of paths) await walk.visit(path, { named: true });
  return walk.tree();
}

/** The files that were read, and the problems of the others. */
export interface ReadFiles {
  readonly files: readonly ConfigFile[];
  readonly problems: readonly Problem[];
}

/** Reads the files of a tree. */
export async function readTree({ files, problems: found }: Tree, limits: TreeLimits): Promise<ReadFiles> {
  const read: ConfigFile[] = [];
  const problems = [...found];
  for (const path of files) {
    try {
      read.push({ path, text: await readText(path, limits.maxFileBytes) });
    } catch (error) {
      problems.push(unreadable(path, error));
    }
  }
  return { files: read, problems };
}

const extensions = new Set([".yaml", ".yml", ".json"]);

class Walk {
  readonly #limits: TreeLimits;
  readonly #files = new Map<string, { readonly path: string; readonly state: readonly string[] }>();
  readonly #folders = new Map<string, string>();
  readonly #walked = new Set<string>();
  readonly #problems: Problem[] = [];
  #entries = 0;

  constructor(limits: TreeLimits) {
    this.#limits = limits;
  }

  tree(): Tree {
    const files = [...this.#files.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
    return {
      files: files.map(({ path }) => path),
      folders: this.#folders,
      stamp: JSON.stringify([files, this.#problems]),
      problems: this.#problems,
    };
  }

  async visit(path: string, { named }: { readonly named: boolean }): Promise<void> {
    if (this.#entries++ === this.#limits.maxEntries) this.#problems.push(tooMany(path, this.#limits.maxEntries));
    if (this.#entries > this.#limits.maxEntries) return;
    try {
      const found = await stat(path, { bigint: true });
      if (found.isDirectory()) return await this.#visitFolder(path, `${found.dev}:${found.ino}`);
      if (!named && !extensions.has(extname(path))) return;
      if (!found.isFile()) throw new Error("it is neither a file nor a folder");
      const state = [found.dev, found.ino, found.size, found.mtimeNs, found.ctimeNs].map(String);
      this.#files.set(resolve(path), { path, state });
    } catch (error) {
      this.#problems.push(unreadable(path, error));
    }
    if (named) await this.#noteFolderOf(path);
  }

  async #visitFolder(path: string, identity: string): Promise<void> {
    // Symbolic links may form a circle.
    if (this.#walked.has(identity)) return;
    this.#walked.add(identity);
    this.#folders.set(identity, path);
    for (const name of (await readdir(path)).sort()) {
      if (!name.startsWith(".")) await this.visit(join(path, name), { named: false });
    }
  }

  /** The folder of a named file is watched too, because the file may be replaced by a rename, or not exist yet. */
  async #noteFolderOf(path: string): Promise<void> {
    const folder = await stat(dirname(path), { bigint: true }).catch(() => undefined);
    if (folder !== undefined) this.#folders.set(`${folder.dev}:${folder.ino}`, dirname(path));
  }
}

async function readText(path: string, maxBytes: number): Promise<string> {
  const file = await open(path);
  try {
    if ((await file.stat()).size > maxBytes) throw new Error(`it is larger than ${maxBytes} bytes`);
    return new TextDecoder("utf-8", { fatal: true }).decode(await file.readFile());
  } finally {
    await file.close();
  }
}

function unreadable(path: string, error: unknown): Problem {
  const { code, message } = error as NodeJS.ErrnoException;
  const cause = code === "ENOENT" ? "it does not exist" : message;
  return problemOf({ code: "CONFIG_FILE_UNREADABLE", message: cause }, reading(path));
}

function tooMany(path: string, limit: number): Problem {
  const message = `there are more than ${limit} files and folders`;
  const hint = "name the folder that holds only the configuration";
  return problemOf({ code: "CONFIG_FILES_TOO_MANY", message, hint }, reading(path));
}

const reading = (path: string) => ({ action: `Cannot read the configuration ${path}`, source: path });
