import { spawn } from "node:child_process";
import { delimiter, join } from "node:path";

export interface RanOptions {
  readonly cwd: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Its output goes to ours instead of into the result. */
  readonly shown?: boolean;
}

export interface Ran {
  /** 1 when a signal ended it. */
  readonly code: number;
  readonly output: string;
  readonly seconds: number;
}

/** Runs a program, those of node_modules among them, to its end. Throws when it cannot be started. */
export async function ran(program: string, args: readonly string[], options: RanOptions): Promise<Ran> {
  const { cwd, env = process.env, shown = false } = options;
  const began = performance.now();
  const PATH = [join(cwd, "node_modules/.bin"), env["PATH"]].join(delimiter);
  const child = spawn(program, args, { cwd, env: { ...env, PATH }, stdio: shown ? "inherit" : "pipe" });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  child.on("error", reject).on("close", (code) => resolve(code ?? 1));
  const code = await promise;
  return { code, output, seconds: (performance.now() - began) / 1000 };
}

/** Prints a line. */
export function printed(line: string): void {
  process.stdout.write(`${line}\n`);
}
