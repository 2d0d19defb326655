const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** One Ctrl-C can arrive several times: from the terminal, from npm, from the launcher. Only a later one means "at once". */
const sameKeyPressMs = 500;

export interface Interruption {
  /** Listens no more. */
  close(): void;
}

/** Calls `first` at the first Ctrl-C or signal to end, and ends the process at once at a second one. */
export function onInterruption(first: () => void): Interruption {
  let firstAt: number | undefined;
  const interrupt = (): void => {
    if (firstAt === undefined) {
      firstAt = Date.now();
      first();
    } else if (Date.now() - firstAt > sameKeyPressMs) {
      // What was started is killed by its own exit hook.
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
