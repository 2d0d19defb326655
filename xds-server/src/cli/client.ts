import type { ProblemDetails } from "./answers.ts";
import { CommandFailure, exitCodes } from "./exit-codes.ts";

export interface ClientOptions {
  /** "http://127.0.0.1:18001". */
  readonly admin: string;
  readonly token?: string;
  /** Who writes, as revisions record it. */
  readonly author: string;
}

export interface Request {
  readonly method?: "GET" | "POST" | "PUT" | "DELETE";
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly body?: unknown;
  readonly wasm?: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  /** How long the server may take beyond the usual, in milliseconds: the time it was asked to wait for proxies. */
  readonly extraMs?: number;
}

export interface Answer<T> {
  readonly body: T;
  readonly etag: string | undefined;
}

/** How long the server may take to answer. */
const timeoutMs = 30_000;

/** The admin API over HTTP. What the server rejects, and a server that is not there, end the command. */
export class AdminClient {
  readonly #options: ClientOptions;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  /** `path` is percent-encoded already. */
  async send<T>(path: string, request: Request = {}): Promise<Answer<T>> {
    const response = await this.#fetch(path, request);
    const text = await response.text();
    if (!response.ok) throw rejected(response.status, text);
    const etag = response.headers.get("etag") ?? undefined;
    return { body: JSON.parse(text), etag };
  }

  /** The same, but undefined when there is no such thing. */
  async find<T>(path: string): Promise<Answer<T> | undefined> {
    try {
      return await this.send<T>(path);
    } catch (error) {
      const isUnknown =
        error instanceof CommandFailure && error.problems.some(({ code }) => code === "DOCUMENT_UNKNOWN");
      if (isUnknown) return undefined;
      throw error;
    }
  }

  async #fetch(
    path: string,
    { method = "GET", query = {}, body, wasm, headers, extraMs = 0 }: Request,
  ): Promise<Response> {
    const { admin, token, author } = this.#options;
    const url = new URL(path, admin);
    for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, value);
    const payload = wasm === undefined ? JSON.stringify(body) : Buffer.from(wasm);
    try {
      return await fetch(url, {
        method,
        redirect: "error",
        signal: AbortSignal.timeout(timeoutMs + extraMs),
        headers: {
          "x-chancery-author": author,
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(payload === undefined
            ? {}
            : { "content-type": wasm === undefined ? "application/json" : "application/wasm" }),
          ...headers,
        },
        ...(payload === undefined ? {} : { body: payload }),
      });
    } catch (error) {
      const message = `Cannot reach the admin API at ${admin}: ${causeOf(error)}`;
      const hint = "start the server (chancery serve), or name its address with --admin or CHANCERY_ADMIN";
      throw new CommandFailure(exitCodes.unreachable, `${message}\n  ${hint}`);
    }
  }
}

/** `/api/v1/...` of path segments, each percent-encoded. */
export function apiPath(...segments: readonly string[]): string {
  return `/api/v1/${segments.map(encodeURIComponent).join("/")}`;
}

function rejected(status: number, text: string): CommandFailure {
  const details = problemDetailsOf(text);
  if (details === undefined)
    return new CommandFailure(exitCodes.rejected, `The server answered ${status}, not in the admin API's words`);
  return new CommandFailure(exitCodes.rejected, details.detail, details.problems);
}

function problemDetailsOf(text: string): ProblemDetails | undefined {
  try {
    const details: Partial<ProblemDetails> | null = JSON.parse(text);
    return Array.isArray(details?.problems) ? (details as ProblemDetails) : undefined;
  } catch {
    return undefined;
  }
}

/** fetch says "fetch failed"; the reason is in its cause, or in the causes of each address tried. */
function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return "no answer in time";
  const { cause } = error;
  if (cause instanceof AggregateError) return causeOf(cause.errors[0]);
  return cause instanceof Error ? cause.message : error.message;
}
