import { spawn } from "node:child_process";

const forwarded = ["SIGINT", "SIGTERM", "SIGHUP"];
const keptOutputChars = 64 * 1024;

/**
 * Runs a command to its end. Forwards the signals that end this process to the command, so that it does not run longer than this
 * process. With `quiet`, the last 64 Ki characters of its output are returned and nothing is shown. Resolves to its exit code,
 * which is 127 when there is no such command.
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
      // A signal during a quiet command was meant for this process, even if the command ignores it. Other commands, such as
      // `up`, can exit normally after a signal.
      const fatal = quiet ? interruption : signal;
      if (forwarded.includes(fatal)) process.kill(process.pid, fatal);
      resolve({ code: code ?? 1, output });
    });
  });
}
