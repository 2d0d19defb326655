import { createHash, randomUUID } from "node:crypto";
import { rmSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

/** The folder for fetched programs and for what is built of sources. xds-server/bin/node-runtime.mjs has the same rule for what runs before the build. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  return env["CHANCERY_CACHE"] || join(env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "chancery");
}

export interface Kept {
  /** What is built, as a folder's name: "filter-modules". */
  readonly kind: string;
  /** A digest of all that the result depends on: the contents of the sources, the options and the compiler's version. */
  readonly key: string;
  /** The most results of this kind that are kept; the one unused for longest goes first. */
  readonly atMost: number;
  /** The cache folder. */
  readonly cache: string;
}

/** The checksums of a result's other files, in the format of sha256sum. */
const sumsFile = "SHA256SUMS";

/**
 * The folder of a result that is built from sources: `build` fills an empty folder the first time, and again when the kept
 * files do not have their checksums. Another process may build the same meanwhile. When the cache cannot be written, the
 * result is in a temporary folder, which is removed when this process exits.
 */
export async function kept(
  { kind, key, atMost, cache }: Kept,
  build: (folder: string) => Promise<void>,
): Promise<string> {
  const results = resolve(cache, "built", kind);
  const folder = join(results, key);
  if (await isWhole(folder)) {
    await noteUse(folder);
    return folder;
  }
  try {
    await buildInto(folder, build);
  } catch (error) {
    if (!isAbout(results, error)) throw error;
    warn(cache, error);
    const temporary = await temporaryFolder();
    await build(temporary);
    return temporary;
  }
  // Another process may remove the same results at this moment. What is left over goes at the next build.
  await removeOldest(results, atMost).catch(() => {});
  return folder;
}

/** Builds in a folder of another name, so that an interrupted build leaves no result. */
async function buildInto(folder: string, build: (folder: string) => Promise<void>): Promise<void> {
  const unfinished = join(dirname(folder), `.${randomUUID()}`);
  await mkdir(unfinished, { recursive: true });
  try {
    await build(unfinished);
    await writeFile(join(unfinished, sumsFile), await sumsOf(unfinished));
    await putInPlace(unfinished, folder);
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

/** Renames a built folder. A damaged result in its place is removed; a whole one is from another process, and stays. */
async function putInPlace(unfinished: string, folder: string): Promise<void> {
  for (let retries = 3; ; retries -= 1) {
    try {
      return await rename(unfinished, folder);
    } catch (error) {
      if (await isWhole(folder)) return;
      if (retries === 0) throw error;
      await rm(folder, { recursive: true, force: true });
    }
  }
}

/** Whether a result has exactly the files with the contents that were built. */
async function isWhole(folder: string): Promise<boolean> {
  try {
    return (await readFile(join(folder, sumsFile), "utf8")) === (await sumsOf(folder));
  } catch {
    return false;
  }
}

async function sumsOf(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => !entry.isDirectory()).map(({ parentPath, name }) => join(parentPath, name));
  const lines = paths
    .filter((path) => path !== join(folder, sumsFile))
    .sort()
    .map(async (path) => {
      const sum = createHash("sha256").update(await readFile(path));
      return `${sum.digest("hex")}  ${path.slice(folder.length + 1)}\n`;
    });
  return (await Promise.all(lines)).join("");
}

/** The time of change says when a result was last used. A cache that is read-only keeps the time. */
async function noteUse(folder: string): Promise<void> {
  const now = new Date();
  await utimes(folder, now, now).catch(() => {});
}

/** Whether the file system reports an error of this folder, of one around it or of something inside. */
function isAbout(folder: string, error: unknown): boolean {
  const { syscall, path } = error instanceof Error ? (error as NodeJS.ErrnoException) : {};
  return syscall !== undefined && path !== undefined && (path.startsWith(folder) || folder.startsWith(path));
}

const warned = new Set<string>();

function warn(cache: string, error: unknown): void {
  if (warned.has(cache)) return;
  warned.add(cache);
  const { code } = error as NodeJS.ErrnoException;
  process.stderr.write(
    `Cannot write to the cache folder "${cache}" (${code}), so nothing that is built is kept: set CHANCERY_CACHE to a writable folder\n`,
  );
}

let temporaryFolders: Promise<string> | undefined;

async function temporaryFolder(): Promise<string> {
  temporaryFolders ??= mkdtemp(join(tmpdir(), "chancery-built-")).then((folder) => {
    process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
    return folder;
  });
  return mkdtemp(join(await temporaryFolders, "result-"));
}

async function removeOldest(results: string, atMost: number): Promise<void> {
  const names = await readdir(results);
  if (names.length <= atMost) return;
  const byUse = await Promise.all(
    names.map(async (name) => ({ name, at: (await stat(join(results, name)).catch(() => undefined))?.mtimeMs ?? 0 })),
  );
  byUse.sort((one, other) => other.at - one.at);
  for (const { name } of byUse.slice(atMost)) await rm(join(results, name), { recursive: true, force: true });
}
