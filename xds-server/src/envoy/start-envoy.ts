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
  /** A bootstrap, or the path of a file that holds one. It needs an `admin`; port 0 is fine. */
  readonly bootstrap: Bootstrap | string;
  /** Further arguments for Envoy. */
  readonly args?: readonly string[];
  /** Absent: "warning". */
  readonly logLevel?: "trace" | "debug" | "info" | "warning" | "error" | "critical" | "off";
  /** Hot restart needs memory shared by all Envoys of the machine, so it is off unless asked for. */
  readonly hotRestart?: boolean;
  /**
   * What to wait for: that the admin answers, or that Envoy serves its first configuration as well. Absent: "ready".
   * Choose "admin" when the management server comes later.
   */
  readonly waitFor?: "admin" | "ready";
  /** Absent: 20 s. */
  readonly startLimitMs?: number;
  /** After SIGTERM, before SIGKILL. Absent: 5 s. */
  readonly stopLimitMs?: number;
  /** How many lines of its log are kept. Absent: 200. */
  readonly keptLogLines?: number;
  /** Gives up starting. */
  readonly signal?: AbortSignal;
}

const pollMs = 20;
const defaultStartLimitMs = 20_000;
const defaultStopLimitMs = 5_000;
const defaultKeptLogLines = 200;

/** Starts an Envoy and waits until it is there. When it does not come up, it is ended and the error has its last log lines. */
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

/** Waits until the program runs. From then on neither it nor its folder outlives us, even when we end without stopping it. */
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
  if (child.pid === undefined) throw new Error("a program that was started has no process id");
  return { pid: child.pid, exited };
}

/** "127.0.0.1:9901", written by Envoy as soon as its admin listens. */
function adminAddress(text: string): ListenAddress | undefined {
  const match = /^\[?([^\]]+?)\]?:(\d+)$/.exec(text.trim());
  return match?.[1] === undefined ? undefined : { host: match[1], port: Number(match[2]) };
}
