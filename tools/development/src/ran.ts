import { spawn } from "node:child_process";
import { delimiter, join } from "node:path";

export interface RanOptions {
  readonly cwd: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Whether its output is kept in the result, shown at once, or both. Absent: kept. */
  readonly output?: "kept" | "shown" | "both";
  /** After this time it is killed, with all processes that it started. Absent: never. */
  readonly limitMs?: number;
}

export interface Ran {
  /** The exit code; 1 when a signal ended it. */
  readonly code: number;
  readonly output: string;
  readonly seconds: number;
}

/** Runs a program until it ends. Programs of node_modules are found too. Throws when it cannot be started. */
export async function ran(program: string, args: readonly string[], options: RanOptions): Promise<Ran> {
  const { cwd, env = process.env, output: where = "kept", limitMs } = options;
  const began = performance.now();
  const PATH = [join(cwd, "node_modules/.bin"), env["PATH"]].join(delimiter);
  const child = spawn(program, args, {
    cwd,
    env: { ...env, PATH },
    stdio: where === "shown" ? "inherit" : ["ignore", "pipe", "pipe"],
    // In a process group of its own, so that the limit also kills its children.
    detached: limitMs !== undefined,
  });
  const end = (signal: NodeJS.Signals): void => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, signal);
  };
  const interrupted = (signal: NodeJS.Signals): void => {
    end(signal);
    process.exit(1);
  };
  const timer = limitMs === undefined ? undefined : setTimeout(end, limitMs, "SIGKILL");
  // Ctrl-C only signals the process group of the terminal, so the signal is passed on.
  if (limitMs !== undefined) for (const signal of endings) process.on(signal, interrupted);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      if (where === "both") process.stdout.write(text);
    });
  }
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  child.on("error", reject).on("close", (code) => resolve(code ?? 1));
  const code = await promise.finally(() => {
    clearTimeout(timer);
    for (const signal of endings) process.off(signal, interrupted);
  });
  return { code, output, seconds: (performance.now() - began) / 1000 };
}

const endings = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
