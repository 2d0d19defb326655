import { type Bytes, bytesOf } from "./bytes.ts";
import { HeaderMap, Headers, type HeadersInit } from "./header-map.ts";
import type { HttpStream, Received } from "./http-stream.ts";
import type { PropertyValue } from "./properties.ts";

/** A body, in one piece or in the pieces that it arrives in. Over HTTP/2, an empty last piece carries only the end. */
export type Body = Bytes | readonly Bytes[];

/** A request as a client sends it. */
export interface Request {
  /** "GET", or "POST" when there is a body. */
  readonly method?: string;
  /** The path with its query. Default: "/". */
  readonly path?: string;
  /** Default: "localhost". */
  readonly authority?: string;
  readonly scheme?: "http" | "https";
  readonly headers?: HeadersInit;
  readonly body?: Body;
  readonly trailers?: HeadersInit;
  /** Properties by path. They override those of the host: `{ "xds.route_name": "cart" }`. */
  readonly properties?: Readonly<Record<string, PropertyValue>>;
  /** Answers this request, in place of the host's `upstream`. */
  readonly upstream?: Upstream;
}

/** Answers a request that passed the filter. */
export type Upstream = (request: UpstreamRequest) => UpstreamResponse;

export interface UpstreamRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Headers;
  readonly body: string;
  readonly bodyBytes: Uint8Array;
  readonly trailers: Headers;
  /** True when all of it arrived. */
  readonly complete: boolean;
}

export interface UpstreamResponse {
  /** Default: 200. */
  readonly status?: number;
  readonly headers?: HeadersInit;
  readonly body?: Body;
  readonly trailers?: HeadersInit;
}

/** The answer that the client got. */
export interface Reply {
  /** 0 when the stream was reset before any answer. */
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
  readonly bodyBytes: Uint8Array;
  readonly trailers: Headers;
  /** True when the proxy answered, not upstream. */
  readonly local: boolean;
  /** %RESPONSE_CODE_DETAILS% of the access log. */
  readonly details: string;
  /** Why the stream ended before the answer was complete; undefined when it was complete. */
  readonly reset: string | undefined;
  /** The request as it arrived upstream; undefined when nothing arrived. */
  readonly upstream: UpstreamRequest | undefined;
}

/** The protocols differ in how a body ends: HTTP/1.1 signals the end after the last data, HTTP/2 together with it. */
export type Protocol = "HTTP/1.1" | "HTTP/2";

export function requestHeaders(request: Request, defaults: { readonly hasBody: boolean }): HeaderMap {
  const { method = defaults.hasBody ? "POST" : "GET", path = "/", authority = "localhost", scheme = "http" } = request;
  const headers = new HeaderMap("request", [
    [":authority", authority],
    [":path", path],
    [":method", method],
    [":scheme", scheme],
  ]);
  for (const [name, value] of new HeaderMap("request", request.headers ?? []).pairs) {
    if (name.startsWith(":")) headers.set(name, value);
    else headers.add(name, value);
  }
  if (headers.get("x-forwarded-proto") === undefined) headers.add("x-forwarded-proto", scheme);
  return headers;
}

export function chunksOf(body: Body | undefined, protocol: Protocol): readonly Buffer[] {
  if (body === undefined) return [];
  const pieces = typeof body === "string" || body instanceof Uint8Array ? [body] : body;
  const bytes = pieces.map((piece) => bytesOf(piece));
  const hasData = bytes.some(({ length }) => length > 0);
  return hasData ? bytes.filter(({ length }) => length > 0 || protocol === "HTTP/2") : [];
}

/** Delivers headers, body and trailers to a stream, as a codec does. */
export function deliver(
  stream: HttpStream,
  direction: "request" | "response",
  { headers, chunks, trailers }: { headers: HeaderMap; chunks: readonly Buffer[]; trailers: HeaderMap | undefined },
  protocol: Protocol,
): void {
  const last = trailers === undefined;
  stream.receiveHeaders(direction, headers, last && chunks.length === 0);
  for (const [index, chunk] of chunks.entries()) {
    stream.receiveData(direction, chunk, last && protocol === "HTTP/2" && index === chunks.length - 1);
  }
  if (trailers !== undefined) stream.receiveTrailers(direction, trailers);
  else if (chunks.length > 0 && protocol === "HTTP/1.1") stream.receiveData(direction, Buffer.alloc(0), true);
}

export function upstreamRequest({ headers, body, trailers, complete }: Received): UpstreamRequest {
  return {
    method: headers.get(":method") ?? "",
    path: headers.get(":path") ?? "",
    headers: new Headers(headers),
    body: body.bytes.toString("utf8"),
    bodyBytes: Buffer.from(body.bytes),
    trailers: new Headers(trailers),
    complete,
  };
}

export function responseHeaders({ status = 200, headers = [] }: UpstreamResponse): HeaderMap {
  const map = new HeaderMap("response", [[":status", String(status)]]);
  for (const [name, value] of new HeaderMap("response", headers).pairs) map.add(name, value);
  return map;
}

/** Sends the answer from upstream. It has no body where HTTP forbids one. */
export function respond(stream: HttpStream, response: UpstreamResponse, protocol: Protocol): void {
  const { status = 200, body } = response;
  const headers = responseHeaders(response);
  const bodiless = stream.upstream?.headers.get(":method") === "HEAD" || status === 204 || status === 304;
  const chunks = bodiless ? [] : chunksOf(body, protocol);
  const trailers = bodiless ? undefined : response.trailers && new HeaderMap("responseTrailers", response.trailers);
  deliver(stream, "response", { headers, chunks, trailers }, protocol);
}

export function replyOf(stream: HttpStream): Reply {
  const { client, upstream } = stream;
  const bytes = Buffer.from(client?.body.bytes ?? []);
  return {
    status: Number(client?.headers.get(":status") ?? 0),
    headers: new Headers(client?.headers),
    body: bytes.toString("utf8"),
    bodyBytes: bytes,
    trailers: new Headers(client?.trailers),
    local: stream.local,
    details: stream.details ?? "",
    reset: stream.resetDetails,
    upstream: upstream && upstreamRequest(upstream),
  };
}
