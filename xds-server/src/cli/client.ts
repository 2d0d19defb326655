import type { AnswerOf, QueryOf } from "../admin-api/operations.ts";
import type { ProblemDetails } from "../admin-api/problems.ts";
import { type ParamOf, pathOf, type RouteName, routes } from "../admin-api/routes.ts";
import type { Document, Kind } from "../model/document.ts";
import { kindRow } from "../model/kinds.ts";
import { CommandFailure, exitCodes } from "./exit-codes.ts";

export interface ClientOptions {
  /** "http://127.0.0.1:18001". */
  readonly admin: string;
  readonly token?: string;
  /** Who writes. Revisions record it. */
  readonly author: string;
}

/** A request to an operation. `params` is required when the URL has parameters. */
export type Request<Name extends RouteName> = RequestParts<QueryOf<Name>> &
  ([Params<Name>] extends [never]
    ? { readonly params?: never }
    : { readonly params: Readonly<Record<Params<Name>, string>> });

type Params<Name extends RouteName> = ParamOf<(typeof routes)[Name]["url"]>;

interface RequestParts<Query> {
  readonly query?: Query;
  readonly body?: unknown;
  readonly wasm?: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  /** How long the server may wait for proxies, in milliseconds. It is added to the time limit of the request. */
  readonly extraMs?: number;
}

export interface Answer<T> {
  readonly body: T;
  readonly etag: string | undefined;
}

/** How long the server may take to answer, in milliseconds. */
const timeoutMs = 30_000;

/** Calls the admin API over HTTP. Throws a CommandFailure when the server rejects a request or cannot be reached. */
export class AdminClient {
  readonly #options: ClientOptions;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  async send<Name extends RouteName>(name: Name, request: Request<Name>): Promise<Answer<AnswerOf<Name>>> {
    const { method, url } = routes[name];
    const response = await this.#fetch(method, pathOf(url, request.params ?? {}), request);
    const text = await response.text();
    if (!response.ok) throw rejected(response.status, text);
    const etag = response.headers.get("etag") ?? undefined;
    return { body: JSON.parse(text), etag };
  }

  /** The document with this kind and name. Undefined when it does not exist. */
  async find<K extends Kind>(kind: K, name: string): Promise<Answer<Document<K>> | undefined> {
    const plural = kindRow(kind)?.plural ?? "";
    try {
      return (await this.send("document", { params: { plural, name } })) as Answer<Document<K>>;
    } catch (error) {
      const isUnknown =
        error instanceof CommandFailure && error.problems.some(({ code }) => code === "DOCUMENT_UNKNOWN");
      if (isUnknown) return undefined;
      throw error;
    }
  }

  async #fetch(
    method: string,
    path: string,
    { query, body, wasm, headers, extraMs = 0 }: RequestParts<object>,
  ): Promise<Response> {
    const { admin, token, author } = this.#options;
    const url = new URL(path, admin);
    for (const [name, value] of Object.entries(query ?? {})) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
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
      const hint = "start the server (chancery serve), or give its address with --admin or CHANCERY_ADMIN";
      throw new CommandFailure(exitCodes.unreachable, `${message}\n  ${hint}`);
    }
  }
}

function rejected(status: number, text: string): CommandFailure {
  const details = problemDetailsOf(text);
  if (details === undefined)
    return new CommandFailure(
      exitCodes.rejected,
      `The server answered ${status} without problem details: is this an admin API?`,
    );
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

/** The reason of a failed fetch. It is in the cause of the error, or in one cause for each address that was tried. */
function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return "no answer in time";
  const { cause } = error;
  if (cause instanceof AggregateError) return causeOf(cause.errors[0]);
  return cause instanceof Error ? cause.message : error.message;
}
