/** A failure that the user can correct. It is printed as one sentence, without a stack. */
export class Failure extends Error {}

/** Prints one line about the progress. Always to standard error, because standard output is for the command's own output. */
export function say(line) {
  process.stderr.write(`${line}\n`);
}

/**
 * Does slow work, and shows the time that it has taken and, if given, the result of `measure`. A terminal gets one line that is
 * rewritten. Any other output gets a line every five seconds.
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

/** Prints a Failure as one sentence and any other error with its stack, and sets the exit code to 1. */
export function reportFailure(error) {
  say(error instanceof Failure ? `error: ${error.message}` : String(error?.stack ?? error));
  process.exitCode = 1;
}
