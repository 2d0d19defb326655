export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** What a port of loopback answers to a GET on a connection of its own. */
export async function get(port: number, path = "/"): Promise<Answer> {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { connection: "close" } });
  return { status: answer.status, headers: answer.headers, text: await answer.text() };
}
