import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Bootstrap } from "./bootstrap.ts";
import { EnvoyAdmin } from "./envoy-admin.ts";
import { RecentLines } from "./recent-lines.ts";
import type { Exit, ListenAddress, RunningEnvoy } from "./running-envoy.ts";

export interface StartEnvoyOptions {
  /** The program's path, from `findEnvoy`. */
  readonly envoy: string;
  /** A bootstrap, or the path of a bootstrap file. It needs an `admin`, whose port may be 0. */
  readonly bootstrap: Bootstrap | string;
  /** Further arguments for Envoy. */
  readonly args?: readonly string[];
  /** Absent: "warning". */
  readonly logLevel?: "trace" | "debug" | "info" | "warning" | "error" | "critical" | "off";
  /** Whether to use hot restart, which needs memory that all Envoys of the machine share. Absent: no. */
  readonly hotRestart?: boolean;
  /**
   * "admin" waits until Envoy's admin answers. "ready" waits until Envoy also serves its first configuration. Absent: "ready".
   * Use "admin" when the management server starts later.
   */
  readonly waitFor?: "admin" | "ready";
  /** The maximum time to start, in milliseconds. Absent: 20 s. */
  readonly startLimitMs?: number;
  /** The time between SIGTERM and SIGKILL, in milliseconds. Absent: 5 s. */
  readonly stopLimitMs?: number;
  /** The number of kept lines of Envoy's log. Absent: 200. */
  readonly keptLogLines?: number;
  /** Stops the start. */
  readonly signal?: AbortSignal;
}

const pollMs = 20;
const defaultStartLimitMs = 20_000;
const defaultStopLimitMs = 5_000;
const defaultKeptLogLines = 200;

/**
 * Starts an Envoy and waits as `waitFor` says. When Envoy does not start in time, it is ended, and the error contains its last
 * log lines.
 */
export async function startEnvoy(options: StartEnvoyOptions): Promise<RunningEnvoy> {
  const folder = await mkdtemp(path.join(tmpdir(), "chancery-envoy-"));
  const removeFolder = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const file = await bootstrapFile(options.bootstrap, folder);
    return await start(options, { file, adminAddressFile: path.join(folder, "admin-address"), removeFolder });
  } catch (error) {
    await removeFolder();
    throw error;
  }
}

interface Files {
  readonly file: string;
  readonly adminAddressFile: string;
  removeFolder(): Promise<void>;
}

async function start(options: StartEnvoyOptions, files: Files): Promise<RunningEnvoy> {
  const {
    envoy,
    waitFor = "ready",
    startLimitMs = defaultStartLimitMs,
    stopLimitMs = defaultStopLimitMs,
    keptLogLines = defaultKeptLogLines,
    signal,
  } = options;
  signal?.throwIfAborted();
  const child = spawn(envoy, argumentsOf(options, files), { stdio: ["ignore", "ignore", "pipe"] });
  const log = new RecentLines(keptLogLines);
  child.stderr.setEncoding("utf8").on("data", (text: string) => log.push(text));
  const { pid, exited } = await spawned(child, path.dirname(files.adminAddressFile));

  const stop = async (): Promise<void> => {
    child.kill("SIGTERM");
    const kill = setTimeout(() => child.kill("SIGKILL"), stopLimitMs);
    await exited;
    clearTimeout(kill);
    await files.removeFolder();
  };
  let exit: Exit | undefined;
  void exited.then((how) => {
    exit = how;
  });
  const deadline = Date.now() + startLimitMs;
  const until = async <T>(what: string, attempt: () => Promise<T | undefined>): Promise<T> => {
    for (;;) {
      signal?.throwIfAborted();
      if (exit !== undefined)
        throw new Error(`Envoy ended (${describeExit(exit)}) before it ${what}:\n${log.all().join("\n")}`);
      const result = await attempt().catch(() => undefined);
      if (result !== undefined) return result;
      if (Date.now() > deadline)
        throw new Error(`Envoy had not ${what} after ${startLimitMs} ms:\n${log.all().join("\n")}`);
      await delay(pollMs);
    }
  };
  try {
    const address = await until("opened its admin", async () =>
      adminAddress(await readFile(files.adminAddressFile, "utf8")),
    );
    const admin = new EnvoyAdmin(address);
    await until("answered", async () => ((await admin.isReady()) || waitFor === "admin" ? true : undefined));
    return {
      pid,
      adminHost: address.host,
      adminPort: address.port,
      exited,
      admin: (adminPath) => admin.get(adminPath),
      isReady: () => admin.isReady(),
      dynamicListeners: () => admin.dynamicListeners(),
      listenerPort: (name) => admin.listenerPort(name),
      stats: (pattern) => admin.stats(pattern),
      recentLog: () => log.all(),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** "code 1", "SIGKILL" */
export function describeExit({ code, signal }: Exit): string {
  return signal ?? `code ${code}`;
}

async function bootstrapFile(bootstrap: Bootstrap | string, folder: string): Promise<string> {
  if (typeof bootstrap === "string") return bootstrap;
  const file = path.join(folder, "bootstrap.json");
  await writeFile(file, JSON.stringify(bootstrap), { mode: 0o600 });
  return file;
}

function argumentsOf(options: StartEnvoyOptions, { file, adminAddressFile }: Files): string[] {
  const { logLevel = "warning", hotRestart = false, args = [] } = options;
  return [
    "-c",
    file,
    "--admin-address-path",
    adminAddressFile,
    "-l",
    logLevel,
    ...(hotRestart ? [] : ["--disable-hot-restart"]),
    ...args,
  ];
}

/** Waits until the program runs. When this process ends without stopping it, the program is killed and its folder is removed. */
async function spawned(child: ChildProcess, folder: string): Promise<{ pid: number; exited: Promise<Exit> }> {
  await once(child, "spawn");
  const kill = (): void => {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  };
  process.once("exit", kill);
  const exited = new Promise<Exit>((resolve) => {
    child.once("close", (code, signal) => {
      process.off("exit", kill);
      resolve({ code, signal });
    });
  });
  if (child.pid === undefined) throw new Error("The started program has no process id");
  return { pid: child.pid, exited };
}

/** "127.0.0.1:9901", written by Envoy as soon as its admin listens. */
function adminAddress(text: string): ListenAddress | undefined {
  const match = /^\[?([^\]]+?)\]?:(\d+)$/.exec(text.trim());
  return match?.[1] === undefined ? undefined : { host: match[1], port: Number(match[2]) };
}
