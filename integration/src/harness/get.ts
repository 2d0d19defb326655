export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** Sends a GET request to a port of loopback, on a new connection. */
export async function get(port: number, path = "/"): Promise<Answer> {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { connection: "close" } });
  return { status: answer.status, headers: answer.headers, text: await answer.text() };
}
