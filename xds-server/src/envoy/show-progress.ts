export interface ProgressOptions {
  readonly title: string;
  readonly say: (line: string) => void;
  /** How much there is by now: "12.0 MB of 36.9 MB". */
  readonly measure: () => Promise<string>;
}

const everyMs = 2_000;

/** Says at once what begins, then every two seconds how far it is, until the returned function is called. */
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
