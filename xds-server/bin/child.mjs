import { spawn } from "node:child_process";

const forwarded = ["SIGINT", "SIGTERM", "SIGHUP"];
const keptOutputChars = 64 * 1024;

/**
 * Runs a command to its end and hands on the signals that end us, so that nothing outlives us.
 * With `quiet` its output is kept (the last 64 Ki characters) instead of shown. Resolves to its exit code; 127: no such command.
 */
export function run(command, args, { cwd, env, quiet = false } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: quiet ? ["ignore", "pipe", "pipe"] : "inherit" });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text) => {
        output = (output + text).slice(-keptOutputChars);
      });
    }
    let interruption;
    const forward = (signal) => {
      interruption = signal;
      child.kill(signal);
    };
    for (const signal of forwarded) process.on(signal, forward);
    const finished = () => {
      for (const signal of forwarded) process.off(signal, forward);
    };
    child.once("error", (error) => {
      finished();
      if (error.code === "ENOENT") resolve({ code: 127, output: `${command} is not on the PATH` });
      else reject(error);
    });
    child.once("close", (code, signal) => {
      finished();
      // Whatever a quiet command makes of a signal, the person meant us. Others may end well after a signal, as `up` does.
      const fatal = quiet ? interruption : signal;
      if (forwarded.includes(fatal)) process.kill(process.pid, fatal);
      resolve({ code: code ?? 1, output });
    });
  });
}
