import { spawn } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";

export interface Ran {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** The text on standard input. */
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** The entry point of `chancery`. */
export const main = fileURLToPath(new URL(`../main${path.extname(import.meta.filename)}`, import.meta.url));

/** Runs `chancery` in a process of its own. Of this environment, the process gets PATH, HOME and NODE_OPTIONS only. */
export async function chancery(args: readonly string[], { input = "", env = {} }: RunOptions = {}): Promise<Ran> {
  const { PATH = "", HOME = "", NODE_OPTIONS = "" } = process.env;
  const child = spawn(process.execPath, [main, ...args], {
    env: { PATH, HOME, NODE_OPTIONS, ...env },
    timeout: 60_000,
  });
  const output = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream].setEncoding("utf8").on("data", (text: string) => {
      output[stream] += text;
    });
  }
  // A command may end before it has read its input.
  child.stdin.on("error", () => {}).end(input);
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  child.on("error", reject).on("close", resolve);
  const exitCode = await promise;
  return { exitCode, ...output };
}
