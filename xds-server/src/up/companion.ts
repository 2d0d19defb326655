import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { type Exit, RecentLines } from "../envoy/index.ts";

const keptLines = 50;
const stopLimitMs = 5_000;
/** How long to wait for a command's last lines after its end, in milliseconds. */
const lastOutputLimitMs = 200;

/** A command of the user that runs beside Envoy, in a process group of its own. */
export interface Companion {
  readonly command: string;
  readonly exited: Promise<Exit>;
  /** The newest lines of its output. */
  recentOutput(): readonly string[];
  /** Ends the whole process group: with SIGTERM, and with SIGKILL for the processes left after five seconds. */
  stop(): Promise<void>;
}

/** Starts a shell command. When this process ends without stopping it, the command is killed. */
export async function startCompanion(command: string): Promise<Companion> {
  const child = spawn(command, { shell: true, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  const output = new RecentLines(keptLines);
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => output.push(text));
  }
  await once(child, "spawn");
  const { pid } = child;
  if (pid === undefined) throw new Error("The started command has no process id");
  const kill = (): void => signalGroup(pid, "SIGKILL");
  process.once("exit", kill);
  // The output closes when the last process that writes to it ends. That may be a child of the shell, or a process that has
  // left the group.
  const closed = once(child, "close");
  const exited = once(child, "exit").then(async ([code, signal]): Promise<Exit> => {
    await Promise.race([closed, delay(lastOutputLimitMs, undefined, { ref: false })]);
    return { code, signal };
  });
  return {
    command,
    exited,
    recentOutput: () => output.all(),
    async stop() {
      signalGroup(pid, "SIGTERM");
      await Promise.race([closed, delay(stopLimitMs, undefined, { ref: false })]);
      kill();
      await exited;
      process.off("exit", kill);
      child.stdout.destroy();
      child.stderr.destroy();
    },
  };
}

/** Sends a signal to every process of a group. Does nothing when no process is left. */
function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
