export interface ProgressOptions {
  readonly title: string;
  readonly say: (line: string) => void;
  /** The amount that is done: "12.0 MB of 36.9 MB". */
  readonly measure: () => Promise<string>;
}

const everyMs = 2_000;

/** Says the title at once, and the progress every two seconds, until the returned function is called. */
export function showProgress({ title, say, measure }: ProgressOptions): () => void {
  say(`${title} ...`);
  let stopped = false;
  const timer = setInterval(async () => {
    const measured = await measure();
    if (!stopped) say(`${title}: ${measured}`);
  }, everyMs);
  return () => {
    stopped = true;
    clearInterval(timer);
  };
}
