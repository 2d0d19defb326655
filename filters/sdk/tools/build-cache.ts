import { randomUUID } from "node:crypto";
import { mkdir, readdir, rename, rm, stat, utimes } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";

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

/**
 * The folder of a result that is built from sources: `build` fills an empty folder the first time only. Another process may
 * build the same meanwhile; a folder is there whole or not at all.
 */
export async function kept(
  { kind, key, atMost, cache }: Kept,
  build: (folder: string) => Promise<void>,
): Promise<string> {
  const results = join(cache, "built", kind);
  const folder = join(results, key);
  if (await used(folder)) return folder;
  const unfinished = join(results, `.${randomUUID()}`);
  await mkdir(unfinished, { recursive: true });
  try {
    await build(unfinished);
    await rename(unfinished, folder).catch(async (error: unknown) => {
      if (!(await used(folder))) throw error;
    });
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  await removeOldest(results, atMost);
  return folder;
}

/** Whether the folder is there; its time of change says when it was last used. */
async function used(folder: string): Promise<boolean> {
  const now = new Date();
  return utimes(folder, now, now).then(
    () => true,
    () => false,
  );
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
