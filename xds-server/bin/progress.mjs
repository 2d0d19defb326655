/** A failure that the person can mend: printed as its one sentence, without a stack. */
export class Failure extends Error {}

/** Prints one line about what is going on. Always on standard error: standard output belongs to the command. */
export function say(line) {
  process.stderr.write(`${line}\n`);
}

/**
 * Does slow work, showing how long it has taken and, when `measure` is given, how much there is by now.
 * A terminal gets one line that is rewritten, anything else a line every five seconds.
 */
export async function withProgress(title, work, measure = () => "") {
  const started = Date.now();
  const terminal = process.stderr.isTTY === true;
  const seconds = () => `${((Date.now() - started) / 1000).toFixed(1)} s`;
  const line = () => `${title}: ${[measure(), seconds()].filter((part) => part !== "").join(" after ")}`;
  say(`${title} ...`);
  const timer = setInterval(
    () => (terminal ? process.stderr.write(`\r\u001b[2K${line()}`) : say(line())),
    terminal ? 250 : 5000,
  );
  try {
    const result = await work();
    if (terminal) process.stderr.write("\r\u001b[2K");
    say(`${title}: done in ${seconds()}`);
    return result;
  } finally {
    clearInterval(timer);
  }
}

/** Prints a Failure as its sentence, anything else with its stack, and sets the exit code. */
export function reportFailure(error) {
  say(error instanceof Failure ? `error: ${error.message}` : String(error?.stack ?? error));
  process.exitCode = 1;
}
