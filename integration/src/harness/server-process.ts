import { type ChildProcess, spawn } from "node:child_process";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export const repository = fileURLToPath(new URL("../../..", import.meta.url));
/** Where the program under test was built. Benchmarks compare it with another checkout (CHANCERY_CHECKOUT). */
export const checkout = path.resolve(process.env["CHANCERY_CHECKOUT"] ?? repository);
export const chanceryBin = path.join(checkout, "xds-server/bin/chancery.mjs");

export interface ServeOptions {
  readonly dataDir: string;
  /** HOST:PORT. Absent: a free port of loopback. */
  readonly xdsListen?: string;
  /** HOST:PORT. Absent: a free port of loopback. */
  readonly adminListen?: string;
  /** Further flags. */
  readonly args?: readonly string[];
  /** Where it runs. Absent: here. */
  readonly cwd?: string;
}

/** `chancery serve` as a process. */
export interface ServerProcess {
  /** The address of its xDS port: "127.0.0.1:41234". */
  readonly xds: string;
  /** The address of its admin API. */
  readonly admin: string;
  readonly pid: number;
  /** Sends a signal, SIGTERM when absent. Resolves when the process has ended. */
  stop(signal?: "SIGTERM" | "SIGKILL"): Promise<void>;
}

const anyPort = "127.0.0.1:0";

/** Starts a server and waits until it is ready. */
export async function serve({
  dataDir,
  xdsListen = anyPort,
  adminListen = anyPort,
  args = [],
  cwd,
}: ServeOptions): Promise<ServerProcess> {
  const flags = ["--xds-listen", xdsListen, "--admin-listen", adminListen, "--data-dir", dataDir, ...args];
  const child = spawn(process.execPath, [chanceryBin, "serve", ...flags], {
    stdio: ["ignore", "pipe", "inherit"],
    cwd,
  });
  const kill = (): void => void child.kill("SIGKILL");
  process.once("exit", kill);
  child.once("close", () => process.off("exit", kill));
  for await (const line of createInterface(child.stdout)) {
    const { event, xds, admin } = JSON.parse(line);
    if (event === "ready")
      return { xds, admin, pid: child.pid ?? 0, stop: (signal = "SIGTERM") => ended(child, signal) };
  }
  throw new Error("chancery serve ended before it was ready");
}

async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  child.once("close", () => resolve());
  if (child.exitCode === null && child.signalCode === null && child.kill(signal)) await promise;
}
