import { spawn } from "node:child_process";
import { chanceryBin, repository } from "./server-process.ts";

/** The exit code and the output of a command. */
export interface CommandResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a `chancery` command against the server with this admin URL. `input` is its standard input. */
export async function runChancery(
  args: readonly string[],
  { admin, input }: { readonly admin: string; readonly input: string },
): Promise<CommandResult> {
  const child = spawn(process.execPath, [chanceryBin, ...args], {
    cwd: repository,
    env: { ...process.env, NO_COLOR: "1", CHANCERY_ADMIN: admin },
    timeout: 120_000,
  });
  const output = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream].setEncoding("utf8").on("data", (text: string) => {
      output[stream] += text;
    });
  }
  child.stdin.on("error", () => {}).end(input);
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  child.on("error", reject).on("close", resolve);
  const exitCode = await promise;
  return { exitCode, ...output };
}
