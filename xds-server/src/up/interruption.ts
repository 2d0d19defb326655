const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * One Ctrl-C can arrive several times: from the terminal, from npm and from the launcher. A signal within this time after the
 * first one, in milliseconds, belongs to the same Ctrl-C.
 */
const sameKeyPressMs = 500;

export interface Interruption {
  /** Removes the signal handlers. */
  close(): void;
}

/** Calls `first` at the first Ctrl-C or termination signal. A second one ends the process at once. */
export function onInterruption(first: () => void): Interruption {
  let firstAt: number | undefined;
  const interrupt = (): void => {
    if (firstAt === undefined) {
      firstAt = Date.now();
      first();
    } else if (Date.now() - firstAt > sameKeyPressMs) {
      // An exit hook of each started program kills it.
      process.exit(130);
    }
  };
  for (const signal of signals) process.on(signal, interrupt);
  return {
    close() {
      for (const signal of signals) process.off(signal, interrupt);
    },
  };
}
