import { type Bytes, bytesOf } from "./bytes.ts";
import { HeaderMap, Headers, type HeadersInit } from "./header-map.ts";
import type { HttpStream, Received } from "./http-stream.ts";
import type { PropertyValue } from "./properties.ts";

/** A body, in one piece or in as many as it arrives in. Over HTTP/2, a last one that is empty brings the end by itself. */
export type Body = Bytes | readonly Bytes[];

/** A request as a client sends it. */
export interface Request {
  /** "GET", or "POST" when there is a body. */
  readonly method?: string;
  /** "/" unless given; with the query. */
  readonly path?: string;
  /** "localhost" unless given. */
  readonly authority?: string;
  readonly scheme?: "http" | "https";
  readonly headers?: HeadersInit;
  readonly body?: Body;
  readonly trailers?: HeadersInit;
  /** Over those of the host, by path: `{ "xds.route_name": "cart" }`. */
  readonly properties?: Readonly<Record<string, PropertyValue>>;
  /** Instead of the host's. */
  readonly upstream?: Upstream;
}

/** Answers what arrives behind the filter. */
export type Upstream = (request: UpstreamRequest) => UpstreamResponse;

export interface UpstreamRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Headers;
  readonly body: string;
  readonly bodyBytes: Uint8Array;
  readonly trailers: Headers;
  /** All of it has arrived. */
  readonly complete: boolean;
}

export interface UpstreamResponse {
  /** 200 unless given. */
  readonly status?: number;
  readonly headers?: HeadersInit;
  readonly body?: Body;
  readonly trailers?: HeadersInit;
}

/** What the client got. */
export interface Reply {
  /** 0 when the stream was reset before any answer. */
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
  readonly bodyBytes: Uint8Array;
  readonly trailers: Headers;
  /** The proxy answered, not upstream. */
  readonly local: boolean;
  /** %RESPONSE_CODE_DETAILS% of the access log. */
  readonly details: string;
  /** Why the stream ended before the answer did; undefined when it was whole. */
  readonly reset: string | undefined;
  /** What arrived upstream; undefined when nothing did. */
  readonly upstream: UpstreamRequest | undefined;
}

/** How ends are told: HTTP/1 tells of the end after the last data, HTTP/2 with it. */
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

/** Sends headers, body and trailers into a stream, as a codec would. */
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

/** Answers from upstream; without a body where HTTP has none. */
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
