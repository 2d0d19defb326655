import http from "node:http";
import https from "node:https";

export interface RequestOptions {
  /** Absent: GET, or POST when there is a body. */
  readonly method?: string;
  readonly headers?: http.OutgoingHttpHeaders;
  /** A list is sent piece by piece, each after the one before. */
  readonly body?: string | readonly (string | Uint8Array)[];
  readonly trailers?: NodeJS.Dict<string>;
  /** Aborts the request, and rejects the promise. */
  readonly signal?: AbortSignal;
}

export interface Reply {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

const limitMs = 10_000;

/** Sends a request, over TLS when there is a `ca`. Resolves when all of the response has arrived. */
export function exchange(to: https.RequestOptions, options: RequestOptions = {}): Promise<Reply> {
  const { body = "", method = body.length > 0 ? "POST" : "GET", headers = {}, trailers, signal } = options;
  return new Promise((resolve, reject) => {
    const { request } = to.ca === undefined ? http : https;
    let isAnswered = false;
    const sent = request({ ...to, host: "127.0.0.1", method, headers, ...(signal && { signal }) }, (answer) => {
      isAnswered = true;
      let text = "";
      answer.setEncoding("utf8").on("data", (piece: string) => {
        text += piece;
      });
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: text }));
      answer.on("error", reject);
    });
    sent.setTimeout(limitMs, () => sent.destroy(new Error(`no answer to ${to.path} in ${limitMs} ms`)));
    // Envoy may answer and close before the whole request has been sent.
    sent.on("error", (error) => isAnswered || reject(error));
    if (trailers !== undefined) {
      sent.setHeader("transfer-encoding", "chunked");
      sent.addTrailers(trailers);
    }
    if (typeof body === "string") sent.end(body);
    else void sendAll(sent, body);
  });
}

async function sendAll(sent: http.ClientRequest, pieces: readonly (string | Uint8Array)[]): Promise<void> {
  for (const piece of pieces) await new Promise<void>((resolve) => sent.write(piece, () => resolve()));
  sent.end();
}
