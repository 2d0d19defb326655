import { connect, type Socket } from "node:net";

export interface LoadOptions {
  readonly port: number;
  /** The bytes of one request. */
  readonly request: string;
  readonly connections: number;
  readonly durationMs: number;
}

export interface LoadResult {
  readonly requests: number;
  /** The number of responses, by status. */
  readonly statuses: ReadonlyMap<number, number>;
}

/** The maximum time to wait for a response, in milliseconds. */
const answerMs = 5000;

/**
 * Sends one request after the other on each of several connections, for `durationMs`. Throws when a connection closes or gets no
 * response.
 */
export async function load({ port, request, connections, durationMs }: LoadOptions): Promise<LoadResult> {
  const statuses = new Map<number, number>();
  const deadline = performance.now() + durationMs;
  const counted = (status: number): boolean => {
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
    return performance.now() < deadline;
  };
  await Promise.all(Array.from({ length: connections }, () => client(port, request, counted)));
  let requests = 0;
  for (const count of statuses.values()) requests += count;
  return { requests, statuses };
}

function client(port: number, request: string, answered: (status: number) => boolean): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket: Socket = connect(port, "127.0.0.1", () => socket.write(request));
  socket.setNoDelay(true).setEncoding("latin1").on("error", reject);
  socket.on("close", () => reject(new Error("Envoy closed a connection")));
  const requestLine = request.slice(0, request.indexOf("\r\n"));
  socket.setTimeout(answerMs, () => reject(new Error(`Envoy gave no answer to "${requestLine}" for ${answerMs} ms`)));
  let rest = "";
  socket.on("data", (text: string) => {
    rest += text;
    const end = endOf(rest);
    if (end === undefined) return;
    const status = Number(rest.slice(9, 12));
    rest = rest.slice(end);
    if (answered(status)) socket.write(request);
    else {
      socket.removeAllListeners("close").destroy();
      resolve();
    }
  });
  return promise;
}

/** The end of the first response in a text, from its content length or its last chunk. Undefined while it is incomplete. */
function endOf(text: string): number | undefined {
  const head = text.indexOf("\r\n\r\n");
  if (head < 0) return undefined;
  if (/\r\ntransfer-encoding: chunked\r\n/i.test(text.slice(0, head + 2))) {
    const last = text.indexOf(lastChunk, head + 2);
    return last < 0 ? undefined : last + lastChunk.length;
  }
  const length = /\r\ncontent-length: (\d+)/i.exec(text.slice(0, head))?.[1] ?? "0";
  const end = head + 4 + Number(length);
  return text.length < end ? undefined : end;
}

const lastChunk = "\r\n0\r\n\r\n";
